"""The one file that a form carries, taken out while the form arrives. Nothing else of a form is kept."""

from collections.abc import AsyncIterator

from multipart import MultipartError, MultipartSegment, PushMultipartParser

from cluster.errors import Invalid

MOST_PARTS = 20


class FormFile:
    """The pieces of a form's file. Raises Invalid for what is no form, and for a form with two files."""

    def __init__(self, body: AsyncIterator[bytes], boundary: str) -> None:
        self.name = ""  # what the form calls its file, known once that is over
        self._body, self._boundary = body, boundary
        self._files, self._inside = 0, False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            with PushMultipartParser(self._boundary, max_segment_count=MOST_PARTS) as parser:
                async for piece in self._body:
                    for part in parser.parse(piece):
                        if data := self._kept(part):
                            yield data
        except MultipartError as error:
            raise Invalid(f"The form cannot be read ({error}). Send it whole, as multipart/form-data.") from None

    def _kept(self, part: MultipartSegment | bytes | bytearray | None) -> bytes:
        """What there is of the file in a part of the form: a beginning, some bytes, or an end."""
        if isinstance(part, MultipartSegment):
            self._begin(part)
        elif part and self._inside:
            return bytes(part)
        return b""

    def _begin(self, part: MultipartSegment) -> None:
        self._inside = part.filename is not None
        if part.filename is None:
            return
        self._files += 1
        if self._files > 1:
            raise Invalid("The form has more than one file. Send one picture at a time.")
        self.name = part.filename
