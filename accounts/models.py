"""Who asks: students and those who curate their answers."""

import hashlib
import unicodedata
import uuid
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


def normalise_login(text: str) -> str:
    """Return the one spelling of a login: NFKC, without case and margins; that of itself is itself."""
    folded = unicodedata.normalize("NFKC", text).casefold()  # folding may leave what NFKC composes
    return unicodedata.normalize("NFKC", folded).strip()


def validate_login(text: str) -> None:
    """Refuse white space, invisible characters and lone surrogates; anything else may be a login."""
    if any(unicodedata.category(character)[0] in "CZ" for character in text):
        raise ValidationError(_("No spaces and no invisible characters, please."), code="invalid")


class LoginField(models.CharField):  # type: ignore[type-arg]  # generic in the stubs alone
    """A text that is stored and looked up in its one spelling, so that unique means unique without case."""

    default_validators = [validate_login]

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return normalise_login(text) if text else text

    def get_prep_value(self, value: Any) -> Any:
        return self.to_python(super().get_prep_value(value))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = self.to_python(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a user; without a password, tokens alone let them in. Raises `ValidationError`."""
        user = self.model(email=email, **fields)
        user.set_password(password)
        user.full_clean()
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, **{"is_staff": True, "is_superuser": True, **fields})


class User(AbstractBaseUser, PermissionsMixin):
    """A student, or with `is_staff` an editor."""

    class Language(models.TextChoices):
        SPANISH = "es", "Español"
        ENGLISH = "en", "English"
        PORTUGUESE = "pt", "Português"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Not an EmailField: a school may hand out pseudonyms, and no mail is ever sent.
    email = LoginField(_("e-mail or pseudonym"), max_length=254, unique=True)
    language = models.CharField(_("language"), max_length=2, choices=Language, default=Language.SPANISH)
    # The database holds a CHECK (credits >= 0) with this type of field.
    credits = models.PositiveIntegerField(_("credits"), default=20)
    is_active = models.BooleanField(
        _("active"),
        default=True,
        help_text=_("Turn this off instead of deleting: nothing lets them in then."),
    )
    is_staff = models.BooleanField(
        _("editor"), default=False, help_text=_("May enter the administration, as far as the permissions go.")
    )
    date_joined = models.DateTimeField(_("joined"), default=timezone.now, editable=False)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = []

    objects = UserManager()

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")

    @property
    def pseudonym(self) -> str:
        """The name of this user in logs: 8 hex digits, always the same, telling nothing about them."""
        return hashlib.sha256(self.id.bytes).hexdigest()[:8]
