"""How much a request may upload: told before anything of it is read."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler

# Somebody who is not signed in has nothing to upload.
STRANGERS = 64 * 1024
# The other fields of a form beside its file.
BESIDE = 1024**2


class Bounded(FileUploadHandler):
    """Refuses a request that says it is too large; the others store what is taken."""

    def handle_raw_input(self, _input: Any, _meta: Any, content_length: int, *_: Any) -> None:
        user = getattr(self.request, "user", None)
        known = user is not None and user.is_authenticated
        if content_length > (settings.UPLOAD_LIMIT + BESIDE if known else STRANGERS):
            raise RequestDataTooBig("upload")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
