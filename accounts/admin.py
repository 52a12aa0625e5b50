"""Users in the administration."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.utils.translation import gettext_lazy as _
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts.models import User

# These pages would show valid tokens to whoever may read them.
admin.site.unregister([BlacklistedToken, OutstandingToken])


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]  # generic in the stubs alone
    list_display = ("email", "language", "credits", "is_active", "date_joined", "last_login")
    list_filter = ("language", "is_staff", "is_active")
    search_fields = ("email",)
    ordering = ("email",)
    readonly_fields = ("pseudonym", "date_joined", "last_login")
    fieldsets = (
        (None, {"fields": ("email", "password", "language", "credits")}),
        (
            _("Permissions"),
            {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")},
        ),
        (_("Activity"), {"fields": ("pseudonym", "date_joined", "last_login")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("email", "language", "credits", "usable_password", "password1", "password2"),
            },
        ),
    )
