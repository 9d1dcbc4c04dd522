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
    CLIP_EMPTY = "clip_empty"
    CLIP_TOO_LARGE = "clip_too_large"
    CLIP_TOO_LONG = "clip_too_long"
    CLIP_TOO_SHORT = "clip_too_short"
    CLIP_NOT_AUDIO = "clip_not_audio"
    CLIP_NO_SOUND = "clip_no_sound"
    CLIP_CUT_OFF = "clip_cut_off"
    CLIP_SILENT = "clip_silent"
    CLIP_CLIPPED = "clip_clipped"
    CLIP_UNDECODABLE = "clip_undecodable"
    CLIP_BUSY = "clip_busy"
    TEXT_REFUSED = "text_refused"
    LANGUAGE_UNKNOWN = "language_unknown"
    SPEECH_UNAVAILABLE = "speech_unavailable"
    KEY_REUSED = "idempotency_key_reused"
    RECORDING_GONE = "recording_gone"
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


def _clip(title: str, cause: str, status: int = 422) -> Problem:
    return Problem(
        status,
        title,
        (cause,),
        "Send wav, mp3, ogg, opus, flac, webm, m4a, aac or amr, recorded clearly; the message says what is wrong with "
        "this one.",
    )


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
        "Use a moderator's key; the operator makes such an account: `zvonar account add NAME --role moderator`.",
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
    Code.CLIP_EMPTY: _clip("The file is empty", "Nothing was recorded, or the upload broke off at once."),
    Code.CLIP_TOO_LARGE: _clip(
        "The file is too large", "A clip may have 25 MB, unless the operator has set another limit.", status=413
    ),
    Code.CLIP_TOO_LONG: _clip(
        "The clip is too long", "A clip may last 5 minutes, unless the operator has set another limit."
    ),
    Code.CLIP_TOO_SHORT: _clip("The clip is too short", "Behind the silence at both ends hardly any sound is left."),
    Code.CLIP_NOT_AUDIO: _clip(
        "The file is no sound that can be read", "It is another kind of file, whatever its name says."
    ),
    Code.CLIP_NO_SOUND: _clip("The file has no sound track", "It is a video, or was exported without its sound."),
    Code.CLIP_CUT_OFF: _clip("The file is cut off or damaged", "The upload or an earlier copy of it broke off."),
    Code.CLIP_SILENT: _clip("Nothing can be heard in the clip", "The microphone was off, or far too quiet."),
    Code.CLIP_CLIPPED: _clip(
        "The clip is overdriven", "The recording level was too high: the tops of the sound are cut off, and crackle."
    ),
    Code.CLIP_UNDECODABLE: _clip(
        "Decoding the file takes too much time or memory", "It is packed in an unusual way, or was made to do so."
    ),
    Code.CLIP_BUSY: _clip("The service is busy with other clips", "Many clips came at once.", status=503),
    Code.TEXT_REFUSED: Problem(
        422,
        "The text cannot be spoken",
        ("The text has no word in it, has too many pauses, or is too long.", "The voice makes no sound of it."),
        "Write words in the letters of their language, at most some minutes of speech.",
    ),
    Code.LANGUAGE_UNKNOWN: Problem(
        422,
        "No voice speaks this language",
        ("The code of the language is mistyped, or no voice for it is installed.",),
        "`getAvailableLanguages` lists the languages and their codes.",
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
    Code.RECORDING_GONE: Problem(
        410,
        "This recording is not kept any more",
        ("Recordings are kept for as many days as the operator has configured (`[recording] keep_days`).",),
        "Fetch recordings soon after the webhook; `recordFilePath` is null once a recording is deleted.",
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
