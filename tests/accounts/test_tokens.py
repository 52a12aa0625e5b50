"""Tokens: ours stand for their user until they expire; no other text stands for anyone."""

import base64
import hmac
import json
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.conf import settings
from hypothesis import example, given
from hypothesis import strategies as st
from rest_framework_simplejwt.tokens import RefreshToken

from accounts.errors import TokenExpired, Unauthorized
from accounts.models import User
from accounts.tokens import access_token, read_token, rotate, token_pair, user_for

KEY = settings.SIMPLE_JWT["SIGNING_KEY"].encode()
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC_PEM = RSA_KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)
HS256 = {"alg": "HS256", "typ": "JWT"}
SUB = str(uuid4())


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def claims(**changes: Any) -> dict[str, Any]:
    """What our own access token says; a change to `None` leaves the claim out."""
    now = int(time.time())
    said = {"sub": SUB, "exp": now + 60, "iat": now, "jti": "a1", "token_type": "access", **changes}
    return {name: value for name, value in said.items() if value is not None}


def sign(body: Any, header: Any = HS256, key: bytes = KEY, digest: str = "sha256") -> str:
    """A token signed by hand, since libraries refuse to write most of these."""
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, body)]
    text = ".".join(map(b64, parts))
    return f"{text}.{b64(hmac.new(key, text.encode(), digest).digest())}"


def headed(**extra: Any) -> str:
    return sign(claims(), {**HS256, **extra})


def unsigned(algorithm: str) -> str:
    return sign(claims(), {**HS256, "alg": algorithm}).rpartition(".")[0] + "."


def swapped(**changes: Any) -> str:
    """A genuine signature under other claims."""
    head, _, signature = sign(claims()).split(".")
    return f"{head}.{b64(json.dumps(claims(**changes)).encode())}.{signature}"


NOW = time.time()
FORGED: dict[str, Callable[[], object]] = {
    # nobody signed
    "alg none": lambda: unsigned("none"),
    "alg None": lambda: unsigned("None"),
    "alg NONE": lambda: unsigned("NONE"),
    "alg nOnE": lambda: unsigned("nOnE"),
    "alg empty": lambda: unsigned(""),
    "alg none, our signature": lambda: headed(alg="none"),
    "no signature": lambda: sign(claims()).rpartition(".")[0] + ".",
    "no signature part": lambda: sign(claims()).rpartition(".")[0],
    # someone else signed
    "another key": lambda: sign(claims(), key=b"x" * 32),
    "empty key": lambda: sign(claims(), key=b""),
    "SECRET_KEY reversed": lambda: sign(claims(), key=KEY[::-1]),
    "public key as secret": lambda: sign(claims(), key=PUBLIC_PEM),
    "RS256": lambda: jwt.encode(claims(), RSA_KEY, "RS256"),
    "ES256": lambda: jwt.encode(claims(), EC_KEY, "ES256"),
    "HS512 with our key": lambda: sign(claims(), {**HS256, "alg": "HS512"}, digest="sha512"),
    "HS384 with our key": lambda: sign(claims(), {**HS256, "alg": "HS384"}, digest="sha384"),
    "RS256 header, HMAC signature": lambda: headed(alg="RS256"),
    "other claims under a signature": lambda: swapped(sub=str(uuid4())),
    "longer life under a signature": lambda: swapped(exp=int(NOW) + 10**6),
    "one bit of the signature": lambda: sign(claims())[:-4] + "AAAA",
    # the header leads elsewhere
    "kid traversal to a known file": lambda: sign(claims(), {**HS256, "kid": "../../../dev/null"}, key=b""),
    "kid is SQL": lambda: sign(claims(), {**HS256, "kid": "' UNION SELECT 'k' --"}, key=b"k"),
    "kid is a number": lambda: headed(kid=7),
    "jwk in the header": lambda: sign(
        claims(), {**HS256, "jwk": {"kty": "oct", "k": b64(b"y" * 32)}}, key=b"y" * 32
    ),
    "jku": lambda: sign(claims(), {**HS256, "jku": "https://evil.example/jwks"}, key=b"z" * 32),
    "crit unknown": lambda: headed(crit=["exp2"], exp2=1),
    "crit empty": lambda: headed(crit=[]),
    "payload outside the token": lambda: headed(b64=False, crit=["b64"]),
    "alg is a list": lambda: headed(alg=["HS256"]),
    "alg lower case": lambda: headed(alg="hs256"),
    "no alg": lambda: sign(claims(), {"typ": "JWT"}),
    "header is a list": lambda: sign(claims(), []),
    "header is no JSON": lambda: sign(claims(), b"{"),
    "header nested": lambda: sign(claims(), b"[" * 3000 + b"]" * 3000),
    # ours by signature, wrong by content
    "refresh token": lambda: str(RefreshToken()),
    "ID token": lambda: sign(claims(token_type="id")),
    "no type": lambda: sign(claims(token_type=None)),
    "type is a list": lambda: sign(claims(token_type=["access"])),
    "no sub": lambda: sign(claims(sub=None)),
    "sub is a number": lambda: sign(claims(sub=1)),
    "sub is not an id": lambda: sign(claims(sub="ana@school.example")),
    "sub is everybody": lambda: sign(claims(sub="*")),
    "no exp": lambda: sign(claims(exp=None)),
    "no iat": lambda: sign(claims(iat=None)),
    "no jti": lambda: sign(claims(jti=None)),
    "exp is a word": lambda: sign(claims(exp="never")),
    "exp is a numeric text": lambda: sign(claims(exp=str(int(NOW) + 3600))),
    "exp beyond time": lambda: sign(claims(exp=10**18)),
    "exp infinite": lambda: sign(json.dumps(claims(exp=1)).replace('"exp": 1', '"exp": 1e400').encode()),
    "exp not a number": lambda: sign(claims(exp=float("nan"))),
    "exp is a list": lambda: sign(claims(exp=[1])),
    "iat is an object": lambda: sign(claims(iat={})),
    "iat in an hour": lambda: sign(claims(iat=int(time.time()) + 3600, exp=int(time.time()) + 7200)),
    "nbf in an hour": lambda: sign(claims(nbf=int(time.time()) + 3600)),
    "payload is a list": lambda: sign([1]),
    "payload is a text": lambda: sign("access"),
    "payload nested": lambda: sign(b"[" * 2500 + b"]" * 2500),
    "payload is no UTF-8": lambda: sign(b'{"sub": "\xff"}'),
    # hardly a token
    "padded": lambda: sign(claims()) + "=",
    "white space": lambda: " " + sign(claims()),
    "line end": lambda: sign(claims()) + "\n",
    "five parts": lambda: sign(claims()) + ".a.b",
    "Bearer": lambda: "Bearer " + sign(claims()),
    "look-alike letters": lambda: sign(claims()).replace("e", "е"),
    "lone surrogate": lambda: sign(claims()) + "\ud800",
    "NUL": lambda: sign(claims()) + "\x00",
    "empty": lambda: "",
    "dots": lambda: "..",
    "1 MB": lambda: sign(claims(note="x" * 2**20)),
    "genuine but beyond 8 KiB": lambda: sign(claims(note="x" * 8192)),
    "None": lambda: None,
    "number": lambda: 7,
    "list": lambda: [sign(claims())],
    "object": lambda: {"token": sign(claims())},
    "bytes": lambda: sign(claims()).encode(),
}


def test_the_forger_of_these_tests_can_write_a_genuine_token() -> None:
    said = claims()
    assert str(read_token(sign(said)).user_id) == SUB
    assert read_token(sign(said)).expires_at == said["exp"]
    assert read_token(headed(kid="any")).issued_at <= time.time()


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_token_is_unauthorized(name: str) -> None:
    with pytest.raises(Unauthorized) as refused:
        read_token(FORGED[name]())
    assert str(refused.value) == ""


@pytest.mark.parametrize("seconds", [0, 1, 3600])
def test_a_genuine_token_whose_time_is_over_says_so(seconds: int) -> None:
    with pytest.raises(TokenExpired) as refused:
        read_token(sign(claims(iat=1, exp=int(time.time()) - seconds)))
    assert refused.value.code == "token_expired"


def test_a_forged_token_does_not_learn_that_it_expired() -> None:
    with pytest.raises(Unauthorized):
        read_token(sign(claims(exp=1), key=b"x" * 32))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
texts = st.text(alphabet=st.characters(codec=None, categories=None))


@given(texts | json_values | st.binary() | st.from_regex(r"\A[\w-]*\.[\w-]*\.[\w-]*\Z"))
@example("\udfff.\ud800.")
def test_no_garbage_raises_anything_else(garbage: object) -> None:
    with pytest.raises(Unauthorized):
        read_token(garbage)


@given(
    st.dictionaries(st.sampled_from(["alg", "kid", "crit", "b64", "typ"]), json_values),
    st.dictionaries(
        st.sampled_from(["sub", "exp", "iat", "nbf", "jti", "aud", "iss", "token_type"]), json_values
    ),
)
@example({}, {"exp": -(10**15), "iat": 0})
def test_no_signed_garbage_raises_anything_else(header: dict[str, Any], body: dict[str, Any]) -> None:
    with pytest.raises((Unauthorized, TokenExpired)):
        read_token(sign({**claims(), **body, "sub": body.get("sub")}, {**HS256, **header}))


@pytest.mark.django_db
class TestUsers:
    def test_an_access_token_stands_for_its_user(self, student: User) -> None:
        who = user_for(access_token(student))
        assert (who.user_id, who.pseudonym, who.language) == (str(student.id), student.pseudonym, "es")
        assert who.expires_at - who.issued_at == settings.ACCESS_TOKEN_MINUTES * 60
        assert abs(who.issued_at - time.time()) < 5

    def test_it_takes_one_query(self, student: User, django_assert_num_queries: Any) -> None:
        token = access_token(student)
        with django_assert_num_queries(1):
            user_for(token)

    def test_an_unknown_user_is_unauthorized(self) -> None:
        with pytest.raises(Unauthorized):
            user_for(sign(claims()))

    def test_a_user_who_was_turned_off_is_unauthorized_at_once(self, student: User) -> None:
        pair = token_pair(student)
        User.objects.update(is_active=False)
        with pytest.raises(Unauthorized):
            user_for(pair["access"])
        with pytest.raises(Unauthorized):
            rotate(pair["refresh"])

    def test_a_refresh_token_lets_nobody_in(self, student: User) -> None:
        with pytest.raises(Unauthorized):
            user_for(token_pair(student)["refresh"])

    def test_a_refresh_token_has_one_successor(self, student: User) -> None:
        old = token_pair(student)["refresh"]
        new = rotate(old)
        assert user_for(new["access"]).user_id == str(student.id)
        with pytest.raises(Unauthorized):
            rotate(old)
        assert rotate(new["refresh"])["refresh"] != new["refresh"]

    def test_of_two_processes_that_rotate_it_at_once_one_fails(
        self, student: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        old = token_pair(student)["refresh"]
        monkeypatch.setattr(
            RefreshToken, "check_blacklist", lambda token: None
        )  # both looked before either wrote
        rotate(old)
        with pytest.raises(Unauthorized):
            rotate(old)

    def test_an_access_token_is_no_refresh_token(self, student: User) -> None:
        with pytest.raises(Unauthorized):
            rotate(access_token(student))

    def test_a_refresh_token_of_a_deleted_user_is_unauthorized(self, student: User) -> None:
        old = token_pair(student)["refresh"]
        student.delete()
        with pytest.raises(Unauthorized):
            rotate(old)

    @pytest.mark.parametrize("name", FORGED)
    def test_no_forged_token_is_a_refresh_token(self, name: str) -> None:
        with pytest.raises(Unauthorized):
            rotate(FORGED[name]())
