"""Takes the write lease for a chunk, and checks the chunk against the record before and after."""

from __future__ import annotations

from collections.abc import Callable

from chunked_upload.records.leased_lookup import Range
from chunked_upload.records.repository import Record
from chunked_upload.storage import WriteLease
from chunked_upload.storage.base import LeaseLost, PartMissing, StorageState, merge
from chunked_upload.storage.powers import LeasesRanges, WritesParts, WritesRanges
from chunked_upload.support.measuring import Figure, measured

from .digesting import follows
from .errors import JoinedOfPieces, OffsetMismatch, ServiceUnavailable
from .failures import translate_failures
from .holding import Holding
from .parts import EngineParts
from .pieces import is_joined, is_piece
from .plan import WritePlan, end_of_stored, is_empty
from .record_lease import RecordLease, entered, is_taken
from .takeover import Takeover

#: Tries to lease a range of a record that other requests keep changing.
_TRIES = 20


class Leasing:
    """Takes the write leases of one engine's uploads.

    :param forget: removes the record and files of a refused first chunk.
    """

    def __init__(
        self, parts: EngineParts, takeover: Takeover, *, forget: Callable[[Record], None]
    ) -> None:
        self._parts = parts
        self._records = parts.records
        self._takeover = takeover
        self._forget = forget

    def find(
        self,
        upload_id: str,
        plan: WritePlan,
        *,
        upload_set: str,
        owner: str | None,
        ticket: str | None,
    ) -> Record | None:
        """Return an owner's upload and take the lease for a plan, in one statement.

        :param plan: a chunk's that must start where the stored prefix ends.
        :param ticket: the ticket by which the upload must have been begun; None for any.
        :return: None, and nothing is changed, if the upload does not take the chunk, or where
            finding it cannot take the lease.
        """
        if not self.finds or (plan.stop is not None and plan.stop <= plan.start):
            return None
        storage = self._parts.stores.current.known_as
        writes = Range(plan.start, plan.stop, plan.total, plan.appends, storage)
        with translate_failures():
            return self._records.leased_lookup.find(
                upload_id, upload_set=upload_set, owner=owner, ticket=ticket, writes=writes
            )

    @property
    def finds(self) -> bool:
        """Whether leases are in the records, and a look-up can take them."""
        leased = any(isinstance(storage, LeasesRanges) for storage in self._parts.stores)
        return not leased and self._records.leased_lookup.works

    def handed_at_creation(self, record: Record) -> StorageState | None:
        """Return the storage's state of a new upload, with what its first request may use."""
        storage = self._parts.stores.current
        if not isinstance(storage, WritesParts):
            return None
        return storage.hand_over(record, 0, 0, token=0, own=False)

    def take(self, record: Record, plan: WritePlan) -> tuple[WriteLease, Holding]:
        """Take the lease for a chunk; check the chunk against the record before and after.

        Only the record that the lease has found tells what the quota already holds for the upload.

        :raises OffsetMismatch, SizeMismatch, TotalMismatch, AlreadyComplete, UploadExpired:
        :raises JoinedOfPieces: for bytes that are not those of its pieces.
        :raises LimitReached: when the quota has no room for what the plan declares.
        """
        with translate_failures():
            try:
                if not plan.creates:
                    self._check_before(record, plan)
                lease = self._take_lease(record, plan)
                try:
                    self._confirm(record, lease, plan)
                    return lease, Holding(record, plan.settled(record), self._parts)
                except BaseException:
                    lease.close()
                    raise
            except BaseException:
                if plan.creates:
                    self._forget(record)
                raise

    def _check_before(self, record: Record, plan: WritePlan) -> None:
        """Check a chunk before its lease is taken.

        An append may ask for the offset to which an older one has come, which is not recorded yet;
        and whatever offset its refusal tells must be accepted next. So the older one ends first.
        """
        try:
            self._check(record, plan)
        except OffsetMismatch:
            if not plan.appends:
                raise
            self._takeover.interrupt(record)
            self._check(record, plan)

    def _check(self, record: Record, plan: WritePlan) -> None:
        self._parts.check_open(record)
        if is_joined(record) and not plan.joins:
            raise JoinedOfPieces
        plan.check_fits(record)
        if plan.start != record.offset and not isinstance(
            self._parts.storage_of(record), WritesRanges
        ):
            raise OffsetMismatch(record.offset)

    def _confirm(self, record: Record, lease: WriteLease, plan: WritePlan) -> None:
        """Check a chunk again now that its lease is taken."""
        # In a parallel dialect, other requests of the client may already use a new record.
        shared = not (plan.creates and plan.sequential)
        if lease.preempted:
            measured(Figure.TAKEOVERS)
        if lease.preempted or (not plan.sequential and not plan.creates and is_empty(record)):
            # Raised for an empty record too: otherwise, if the request that created it fails, it
            # would remove the upload under this one.
            self._records.raise_fencing_token(record)
        known = lease.follows(record.offset, record.fencing_token)
        if shared and not (known and not lease.preempted):
            if not lease.fresh:
                self._parts.look_again(record)
            self._takeover.keep(record, lease)
            self._check(record, plan)
        if plan.appends:
            self._begin_append(record, lease, plan)

    def _begin_append(self, record: Record, lease: WriteLease, plan: WritePlan) -> None:
        try:
            lease.begin_append(keeps=plan.keeps_prefix)
        except LeaseLost:
            self._parts.look_again(record)
            raise OffsetMismatch(record.offset) from None

    def _take_lease(self, record: Record, plan: WritePlan) -> WriteLease:
        try:
            storage = self._parts.storage_of(record)
            if isinstance(storage, LeasesRanges):
                return storage.open_writer(
                    record, plan.start, plan.stop, have=end_of_stored(record)
                )
            return self._lease_in_record(record, plan)
        except PartMissing:
            # The part is not lost if the upload was removed or completed since the look-up.
            self._parts.look_again(record)
            self._check(record, plan)
            if record.offset == record.length:
                # Another request is completing it right now: the part also has its final name.
                raise OffsetMismatch(record.offset) from None
            raise

    def _may_hide(self, record: Record, plan: WritePlan) -> bool:
        """Return whether nobody reads the plan's bytes before the upload has all of its own.

        A dialect that lets chunks lie anywhere compares duplicate chunks, pieces are read when they
        are joined, what is joined after that, and checksums that do not follow the bytes read them.
        """
        readers = not plan.sequential or plan.read_back or plan.joins or is_piece(record)
        names = (kind.name for kind in self._parts.digests.resumable())
        return not readers and follows(record, names, plan.start)

    def _lease_in_record(self, record: Record, plan: WritePlan) -> RecordLease:
        storage = self._parts.storage_of(record)
        parts = storage if isinstance(storage, WritesParts) else None
        numbered = parts if self._may_hide(record, plan) else None
        if not self._has_lease(record, plan, numbered):
            self._enter(record, plan, numbered)
        number = record.fencing_token
        have = end_of_stored(record)
        open_writer = storage.open_writer if numbered is None else numbered.open_part_writer
        return RecordLease(
            record,
            plan,
            open_writer(record, plan.start, plan.stop, have=have),
            number,
            parts=parts,
            numbered=numbered is not None,
        )

    def _has_lease(self, record: Record, plan: WritePlan, parts: WritesParts | None) -> bool:
        """Return whether the look-up has taken the lease, and the storage has to reserve nothing.

        Only the request that has made the look-up may use it, and only once.
        """
        found, record.found_leased = record.found_leased, False
        if not found or not is_taken(record, plan):
            return False
        if parts is None:
            return True
        before = record.fencing_token - 1
        reserved = self._reserved(record, plan, parts, token=before)
        return merge(record.storage_state, reserved) == record.storage_state

    def _enter(self, record: Record, plan: WritePlan, parts: WritesParts | None) -> None:
        """Enter a lease into the record, with the numbers that a storage reserves for it."""
        for _ in range(_TRIES):
            entry = entered(record, plan)
            if parts is not None:
                reserved = self._reserved(record, plan, parts, token=record.fencing_token)
                entry["storage_state"] = merge(record.storage_state, reserved)
            # Not over the state that another request has committed since: that moved the offset.
            if self._records.swap_and_refresh(record, entry, offset=record.offset):
                return
            self._parts.look_again(record)
            self._check(record, plan)
        raise ServiceUnavailable("Upload is being changed by other requests")

    def _reserved(
        self, record: Record, plan: WritePlan, parts: WritesParts, *, token: int
    ) -> StorageState:
        extends = plan.keeps_progress
        return parts.reserve(record, plan.start, plan.stop, extends=extends, token=token)
