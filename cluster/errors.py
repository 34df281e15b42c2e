"""Every error Brightroom raises on purpose. Its message is a sentence for a person, and says what to do next.

    BrightroomError
      SettingsError            before anything starts: the key and what is wrong with it
      StoreError               the store cannot be used as it is
        NewerSchema            written by a newer Brightroom
      ServiceError             an answer to a request; api/errors.py turns it into a status
        NotFound               404
        Invalid                400
        Unauthenticated        401
        Denied                 403
        Conflict               409
        TooMany                429, with seconds to wait
        Unavailable            503, a service that is stopped or not there
          Poisoned             one whose GPU failed under it: its process can compute nothing more and is being replaced
      PhotoError               one file or photo cannot be processed; batch/stages.py turns it into a value in its row
        Unreadable             the bytes are no picture that can be decoded
        TooLarge               over a limit of the settings
        Unwritable             nothing can be written into it, or beside it
        DecoderDied            the decode child crashed, hung or ran out of memory
        OutOfMemory            needs more GPU memory than its model may take, alone and with no other beside it

Anything else is a bug and is allowed to fail loudly.
"""


class BrightroomError(Exception):
    """What all errors raised on purpose have in common."""


class SettingsError(BrightroomError):
    """The settings name the key and what is wrong with it."""


class StoreError(BrightroomError):
    """The store cannot be used as it is."""


class NewerSchema(StoreError):
    """The data was written by a newer Brightroom than this one."""


class ServiceError(BrightroomError):
    """A request that cannot be answered as asked."""


class NotFound(ServiceError):
    """There is no such thing, or it is somebody else's."""


class Invalid(ServiceError):
    """The request itself is wrong."""


class Unauthenticated(ServiceError):
    """Nobody is logged in, or the session has ended."""


class Denied(ServiceError):
    """Somebody is logged in who may not do this."""


class Conflict(ServiceError):
    """The thing is in a state that does not allow it."""


class TooMany(ServiceError):
    """Too many attempts."""

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unavailable(ServiceError):
    """A service this needs is stopped or not there."""


class Poisoned(Unavailable):
    """The GPU failed under a model: the process can compute nothing any more. No photo is to blame; ask another."""


class PhotoError(BrightroomError):
    """One file or photo cannot be processed."""


class Unreadable(PhotoError):
    """The bytes are no picture or video that can be decoded."""


class TooLarge(PhotoError):
    """The file or its picture is over a limit of the settings."""


class Unwritable(PhotoError):
    """Nothing can be written into the file, or beside it."""


class DecoderDied(PhotoError):
    """The decode child crashed, hung or ran out of memory over this file."""


class OutOfMemory(PhotoError):
    """The photo needs more GPU memory than its model may take, even alone."""
