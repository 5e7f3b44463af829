"""The interop versions of the draft that clients speak, and what differs between them.

Each version stands for one or more texts of the draft. A client names its version in
``Upload-Draft-Interop-Version``. Only the versions in this table get interim responses. A request
of another version is handled by the next newer one, and a request of none by the newest.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Request

from chunked_upload.http.wire.structured import read_size, write_boolean

INTEROP_HEADER = "Upload-Draft-Interop-Version"
COMPLETE_HEADER = "Upload-Complete"
#: What version 3 has instead, with the opposite meaning.
INCOMPLETE_HEADER = "Upload-Incomplete"


@dataclass(frozen=True, kw_only=True)
class Version:
    """What one interop version says otherwise than the newest.

    :param number: the interop version.
    :param drafts: the texts of the draft that have it.
    :param says_incomplete: ``Upload-Incomplete`` stands for the opposite of ``Upload-Complete``,
        and an append without it completes the upload.
    :param typed_appends: PATCH needs the media type ``application/partial-upload``.
    :param retrieval_status: of the answer to HEAD.
    :param append_status: of the answer to an append that does not complete the upload.
    :param lifetime: the key of ``Upload-Limit`` for the seconds that an upload has left.
    :param tells_progress: interim responses tell the offset while bytes arrive.
    :param forbids_state: HEAD and DELETE must not have the headers of an upload's state.
    """

    number: int
    drafts: str
    says_incomplete: bool = False
    typed_appends: bool = True
    retrieval_status: int = 200
    append_status: int = 204
    lifetime: str = "max-age"
    tells_progress: bool = True
    forbids_state: bool = False

    def completeness(self, complete: bool) -> dict[str, str]:
        """Return the header that says whether an upload is complete."""
        if self.says_incomplete:
            return {INCOMPLETE_HEADER: write_boolean(not complete)}
        return {COMPLETE_HEADER: write_boolean(complete)}


#: The oldest first.
VERSIONS = (
    Version(
        number=3,
        drafts="-01",
        says_incomplete=True,
        typed_appends=False,
        retrieval_status=204,
        append_status=201,
        tells_progress=False,
        forbids_state=True,
    ),
    Version(number=5, drafts="-03", typed_appends=False, append_status=201, forbids_state=True),
    Version(number=6, drafts="-04, -05", append_status=201, lifetime="expires", forbids_state=True),
    Version(number=7, drafts="-06 to -08"),
    Version(number=8, drafts="-09 to -12"),
)

OLDEST, NEWEST = VERSIONS[0], VERSIONS[-1]


def served_version(request: Request) -> Version | None:
    """Return the interop version that the client named, if it is one of the table.

    :raises BadRequestHeaders: when it named several.
    """
    number = read_size(request, INTEROP_HEADER)
    return next((version for version in VERSIONS if version.number == number), None)


def version_of(request: Request) -> Version:
    """Return the version by which a request is handled.

    :raises BadRequestHeaders: when the client named several.
    """
    number = read_size(request, INTEROP_HEADER)
    if number is None:
        only_old = INCOMPLETE_HEADER in request.headers and COMPLETE_HEADER not in request.headers
        return OLDEST if only_old else NEWEST
    return next((version for version in VERSIONS if version.number >= number), NEWEST)
