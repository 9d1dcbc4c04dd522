"""Digest: the examples of the RFCs, the choice among challenges, and who is answered how often."""

from __future__ import annotations

import hashlib
import re

import pytest

from engine.sip.digest import Challenge, Digest, challenges, response_digest
from engine.sip.message import Message


def refusal(*headers: str, code: int = 401) -> Message:
    pairs = tuple((name, value) for name, _, value in (header.partition(": ") for header in headers))
    return Message("INVITE", "", code, "", pairs, b"", "c", 1, "f", "t")


def challenge(**changes) -> Challenge:
    values = {
        "header": "Authorization",
        "realm": "testrealm@host.com",
        "nonce": "dcd98b7102dd2f0e8b11d0f600bfb0c093",
        "algorithm": "MD5",
        "spelled": "",
        "qop": "auth",
        "opaque": None,
        "stale": False,
    } | changes
    return Challenge(**values)


def test_rfc_2617_example():
    made = response_digest(challenge(), "Mufasa", "Circle Of Life", "GET", "/dir/index.html", "00000001", "0a4f113b")
    assert made == "6629fae49393a05397450978507c4ef1"


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_rfc_7616_examples(algorithm, expected):
    given = challenge(
        realm="http-auth@example.org",
        nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        algorithm=algorithm,
    )
    cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    made = response_digest(given, "Mufasa", "Circle of Life", "GET", "/dir/index.html", "00000001", cnonce)
    assert made == expected


def test_without_qop_as_in_rfc_2069():
    ha1 = hashlib.md5(b"u:testrealm@host.com:p").hexdigest()
    ha2 = hashlib.md5(b"REGISTER:sip:h").hexdigest()
    expected = hashlib.md5(f"{ha1}:dcd98b7102dd2f0e8b11d0f600bfb0c093:{ha2}".encode()).hexdigest()
    assert response_digest(challenge(qop=""), "u", "p", "REGISTER", "sip:h", "x", "x") == expected


def test_sess_and_auth_int():
    nonce = challenge().nonce
    ha1 = hashlib.sha256(b"u:testrealm@host.com:p").hexdigest()
    ha1 = hashlib.sha256(f"{ha1}:{nonce}:cn".encode()).hexdigest()
    ha2 = hashlib.sha256(f"INVITE:sip:h:{hashlib.sha256(b'body').hexdigest()}".encode()).hexdigest()
    expected = hashlib.sha256(f"{ha1}:{nonce}:00000001:cn:auth-int:{ha2}".encode()).hexdigest()
    given = challenge(algorithm="SHA-256-sess", qop="auth-int")
    assert response_digest(given, "u", "p", "INVITE", "sip:h", "00000001", "cn", b"body") == expected


def test_the_best_challenge_of_each_realm_is_taken():
    found = challenges(
        refusal(
            'WWW-Authenticate: Digest realm="a", nonce="1"',
            'WWW-Authenticate: Digest realm="a", nonce="2", algorithm=SHA-256, qop="auth-int, auth"',
            'WWW-Authenticate: Digest realm="a", nonce="3", algorithm=TURTLE',
            'WWW-Authenticate: Basic realm="a", Digest realm = "b, c=d" , nonce=4 ,algorithm="md5-sess",stale=TRUE',
            'WWW-Authenticate: Digest realm="d", nonce="5", qop="odd"',
            'WWW-Authenticate: Digest realm="no nonce"',
            'Proxy-Authenticate: Digest realm="a", nonce="6", opaque=""',
        )
    )
    assert [(one.header, one.realm, one.nonce, one.algorithm, one.qop, one.stale) for one in found] == [
        ("Authorization", "a", "2", "SHA-256", "auth", False),
        ("Authorization", "b, c=d", "4", "MD5-sess", "", True),
        ("Proxy-Authorization", "a", "6", "MD5", "", False),
    ]


def test_the_header():
    digest = Digest("u", "secret", lambda: "token")
    assert digest.headers("INVITE", "sip:h") == ()
    assert digest.accept(
        refusal('WWW-Authenticate: Digest realm="r", nonce="n", opaque="o", algorithm=MD5, qop="auth"')
    )
    ((name, first),) = digest.headers("INVITE", "sip:h")
    ((_, second),) = digest.headers("BYE", "sip:h")
    assert name == "Authorization"
    assert re.sub('response="[0-9a-f]{32}"', "RESPONSE", first) == (
        'Digest username="u", realm="r", nonce="n", uri="sip:h", RESPONSE, algorithm=MD5, opaque="o", '
        'qop=auth, nc=00000001, cnonce="token"'
    )
    assert "nc=00000002" in second
    assert "secret" not in first


def test_a_realm_is_answered_once_and_a_stale_nonce_once_more():
    digest = Digest("u", "p", lambda: "token")
    first = refusal('Proxy-Authenticate: Digest realm="r", nonce="1"', code=407)
    stale = refusal('Proxy-Authenticate: Digest realm="r", nonce="2", stale=true', code=407)
    assert digest.accept(first)
    assert not digest.accept(first)
    assert digest.accept(stale)
    assert not digest.accept(stale)
    assert digest.accept(refusal('WWW-Authenticate: Digest realm="other", nonce="1"'))
    assert digest.accept(first, fresh=True)


def test_what_is_no_challenge():
    digest = Digest("u", "p", lambda: "token")
    assert not digest.accept(refusal())
    assert not digest.accept(refusal('WWW-Authenticate: Basic realm="r"'))
    assert not digest.accept(refusal('WWW-Authenticate: Digest realm="r", nonce="1"', code=403))


@pytest.mark.parametrize("filler", [" ", ",", "=", "a", '"', "\\", "a ", ", a", "a="])
def test_long_headers_are_cheap(filler):
    challenges(refusal(f"WWW-Authenticate: Digest {filler * 50_000}"))
