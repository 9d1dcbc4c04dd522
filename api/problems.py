"""The kinds of errors: `data.code` of a refusal, its HTTP status, and what `/errors/CODE` says of it.

A code is part of the contract: programs decide by it. It is never renamed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """`data.code`."""

    KEY_MISSING = "key_missing"
    KEY_WRONG = "key_wrong"
    ROLE_MISSING = "role_missing"
    BODY_UNREADABLE = "body_unreadable"
    BODY_INVALID = "body_invalid"
    BODY_TOO_LARGE = "body_too_large"
    FIELD_INVALID = "field_invalid"
    OPTION_UNAVAILABLE = "option_unavailable"
    PHONE_INVALID = "phone_invalid"
    PHONE_STOPPED = "phone_stopped"
    BALANCE_LOW = "balance_low"
    MODERATION_NEEDED = "moderation_needed"
    RECORD_UNKNOWN = "record_unknown"
    RECORD_IN_USE = "record_in_use"
    TEMPLATE_UNKNOWN = "template_unknown"
    CLIP_REFUSED = "clip_refused"
    TEXT_REFUSED = "text_refused"
    SPEECH_UNAVAILABLE = "speech_unavailable"
    KEY_REUSED = "idempotency_key_reused"
    NOT_FOUND = "not_found"
    METHOD_WRONG = "method_wrong"
    STORE_UNAVAILABLE = "store_unavailable"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind. The texts are keys of the catalogue (`api.messages`)."""

    status: int
    title: str
    causes: tuple[str, ...]
    remedy: str
    of_callee: bool = False  # it also comes as an element of `create`'s reply


PROBLEMS: Mapping[Code, Problem] = {
    Code.KEY_MISSING: Problem(
        401,
        "The API key is missing",
        ("The request has no field `apiKey` (or `apikey`) and no header `Authorization: Bearer KEY`.",),
        "Send the 60 characters of your account's key in the field `apiKey`.",
    ),
    Code.KEY_WRONG: Problem(
        401,
        "No account has this API key",
        ("The key was mistyped or cut.", "A new key was made: the old one dies at once."),
        "Copy the key anew; the operator shows it or makes a new one with `zvonar account key NAME`.",
    ),
    Code.ROLE_MISSING: Problem(
        403,
        "This account may not do that",
        ("Moderation is for accounts with the role moderator or operator.",),
        "Use the key of a moderator; the operator makes such an account with `zvonar account add NAME --role moderator`.",
    ),
    Code.BODY_UNREADABLE: Problem(
        400,
        "The body of the request cannot be read",
        (
            "The body is not JSON though it begins like it, or its multipart form is cut off.",
            "The text is not UTF-8.",
        ),
        "Send a JSON object, a form or multipart/form-data, and let a library write it.",
    ),
    Code.BODY_INVALID: Problem(
        422,
        "The body of the request holds what no request can hold",
        (
            "The body is JSON, but no object with fields.",
            "It holds NUL characters or halves of surrogate pairs.",
            "It is nested too deep, or has too many fields.",
        ),
        "Send a JSON object with the fields of the method.",
    ),
    Code.BODY_TOO_LARGE: Problem(
        413,
        "The body of the request is too large",
        ("A request without a file may have 8 MB, one with a file 30 MB.",),
        "Split the phones into several requests; compress the clip, or cut it.",
    ),
    Code.FIELD_INVALID: Problem(
        422,
        "A field of the request cannot be taken as it is",
        (
            "A required field is missing, or a value has another type, length or range than the field takes.",
            "`data.errors` names each field and says why.",
        ),
        "Correct the fields that `data.errors` names; the API reference lists what each one takes.",
    ),
    Code.OPTION_UNAVAILABLE: Problem(
        422,
        "An option is turned on that this version does not have",
        ("The option is part of the contract, and its part of the engine comes with a later version.",),
        "Leave the option out, or send it as 0.",
    ),
    Code.PHONE_INVALID: Problem(
        422,
        "This is no telephone number",
        ("A number has 11 digits and begins with the country's code, for example 79991234567.",),
        "Write the number with 11 digits; blanks, brackets, dashes and a plus are allowed.",
        of_callee=True,
    ),
    Code.PHONE_STOPPED: Problem(
        422,
        "The number is on the stop list",
        ("The callee pressed a key with `needBlock`.", "The number was added by `addPhonesFromApi`."),
        "Do not call this number: its owner asked for that.",
        of_callee=True,
    ),
    Code.BALANCE_LOW: Problem(
        422,
        "The balance does not suffice",
        (
            "Each call that waits holds the price of its first step, and one that goes on what it may cost at most.",
            "What is held for other calls cannot be spent on this one.",
        ),
        "Have the account credited (`zvonar account credit NAME AMOUNT`), or wait until running calls are over.",
        of_callee=True,
    ),
    Code.MODERATION_NEEDED: Problem(
        422,
        "Moderation has not been passed",
        (
            "A call starts only when the account or the clip has passed moderation.",
            "A clip made from text needs the account's.",
        ),
        "Wait for the moderator, or ask your manager.",
    ),
    Code.RECORD_UNKNOWN: Problem(
        422,
        "There is no such record",
        ("The number is none of this account's records, or the record was deleted.",),
        "`getRecords` lists the records of the account.",
    ),
    Code.RECORD_IN_USE: Problem(
        409,
        "The record is needed by planned calls or templates",
        ("Calls that wait would play it.",),
        "Cancel the calls with `remove`, or wait until they are over; then delete the record.",
    ),
    Code.TEMPLATE_UNKNOWN: Problem(
        422,
        "There is no such template",
        ("The number is none of this account's templates.",),
        "`getTemplates` lists the templates of the account; `saveTemplate` makes one.",
    ),
    Code.CLIP_REFUSED: Problem(
        422,
        "The file cannot be used as a clip",
        (
            "The file is no audio, is cut off, or is longer or larger than allowed.",
            "Nothing can be heard in it, or it is distorted by clipping.",
        ),
        "Send wav, mp3, ogg, opus, webm, m4a or amr, recorded clearly; the message says what is wrong with this one.",
    ),
    Code.TEXT_REFUSED: Problem(
        422,
        "The text cannot be spoken",
        ("The text has no word in it, or is too long.", "No voice of this service speaks its language."),
        "Write words; `getAvailableLanguages` lists the languages.",
    ),
    Code.SPEECH_UNAVAILABLE: Problem(
        503,
        "Clips cannot be made from text just now",
        ("The synthesiser is missing on the server, or did not answer in time.",),
        "Try again; if it stays so, upload the clip as a file, and tell the operator.",
    ),
    Code.KEY_REUSED: Problem(
        422,
        "This Idempotency-Key was used for another request",
        ("A key stands for one request for 24 hours; its body must stay the same.",),
        "Take a new key for each new request, for example a UUID.",
    ),
    Code.NOT_FOUND: Problem(
        404,
        "There is no such method or page",
        ("The address is mistyped, or names something of another account.",),
        "The API reference lists the methods: `POST /apiCalls/METHOD`.",
    ),
    Code.METHOD_WRONG: Problem(
        405,
        "This address is called in another way",
        ("Methods are called with POST.",),
        "Use the HTTP method that the header `Allow` of the reply names.",
    ),
    Code.STORE_UNAVAILABLE: Problem(
        503,
        "The service cannot reach its store just now",
        ("The database is locked or gone, or the disk is full.",),
        "Try again after some seconds, with the same Idempotency-Key; nothing was half done.",
    ),
    Code.INTERNAL: Problem(
        500,
        "The service made a mistake",
        ("It is a fault of the service, and stands in its log.",),
        "Try again; if it stays so, tell the operator when it happened.",
    ),
}
