/* An object store (storage/s3/): any number of hosts.
 *
 * A unit is an object with a name of its own, or a part of a multipart upload under a number that was
 * reserved. Nothing tells a request that it has been taken over until it commits. A request that dies
 * or stands still may have sent what the store takes much later.
 */

#define BIT(it) (1 << ((it) - 1))
#define OBJECT(of, unit) (1 << (((of) - 1) * 2 + (unit)))
#define PART(multipart, unit, attempt) (((multipart) - 1) * 6 + (unit) * 3 + (attempt))

byte objects;           /* those that exist, one bit for each request and unit */
byte notes;             /* layout: a note about the multipart upload that a request has started */
byte open;              /* the multipart uploads that exist */
byte sent[24];          /* whose bytes a part has */
bool made;              /* the finished file exists */
byte made_of[2];

/* In the record. */
byte multipart;         /* the multipart upload that counts */
byte parts;             /* the units that are parts */
byte attempts[2];       /* and their numbers */
byte reserved_attempt, reserved_until, reserved_end, handed; /* storage/s3/numbers.py */
byte leased[4];         /* write_leases, by request */

#define NOBODY 255      /* handed: the request before has broken off */

bool hook_dead;         /* the holder of the completion lease has died */

#define NUMBERED(unit) sent[PART(multipart, unit, attempts[unit])]
#define CONTENT(unit) (made && status == COMPLETE -> made_of[unit] : \
  (HAS(parts, unit) -> (open & BIT(multipart) -> NUMBERED(unit) : (made -> made_of[unit] : 0)) : \
  (owner[unit] != 0 && (objects & OBJECT(owner[unit], unit)) -> owner[unit] : 0)))
#define DURABLE ((CONTENT(0) != 0 -> 1 : 0) + (CONTENT(1) != 0 -> 2 : 0))

#define STORAGE_LOCALS \
  byte in_multipart, in_parts, my_attempts[2], my_end, my_until, my_attempt, seen_objects, seen_notes, my_number; \
  bool has_lease, found_leased;

inline start_storage() {
  if
  :: !begun -> d_step { /* as objects */
    if :: recorded & 1 -> objects = objects | OBJECT(EARLIER, 0) :: else fi;
    if :: recorded & 2 -> objects = objects | OBJECT(EARLIER, 1) :: else fi }
  :: recorded && !parallel -> d_step { /* as parts */
    open = BIT(EARLIER); notes = BIT(EARLIER); multipart = EARLIER; parts = recorded;
    sent[PART(EARLIER, 0, 0)] = EARLIER;
    if :: recorded & 2 -> sent[PART(EARLIER, 1, 0)] = EARLIER :: else fi;
    reserved_end = OFFSET(recorded) }
  fi;
  if
  :: handed = NOBODY
  :: !parallel -> d_step { handed = token; reserved_end = 2 }
  fi
}

inline read_storage_state() {
  has_lease = leased[me] != 0; in_multipart = (in_parts -> in_multipart : multipart)
}

/* engine/record_lease.py RecordLease.released and ended, storage/s3/writer.py S3Writer.sync */
inline commit_storage_state() {
  leased[me] = 0;
  if
  :: !parallel && (my_token == my_number || OFF(HANDED_OVER_LATE)) -> /* storage/s3/numbers.py handed_over */
    handed = my_token;
    reserved_end = 2
  :: else
  fi;
  if
  :: in_parts ->
    multipart = in_multipart; parts = parts | in_parts;
    if :: HAS(in_parts, 0) -> attempts[0] = my_attempts[0] :: else fi;
    if :: HAS(in_parts, 1) -> attempts[1] = my_attempts[1] :: else fi
  :: else
  fi
}

/* engine/record_lease.py entered, records/leased_lookup.py _entered */
inline enter() {
  if :: !OFF(TOKEN_NOT_RAISED) -> token++ :: else fi;
  for (other : 1 .. 3) {
    if :: leased[other] & mine && !OFF(ENTRIES_KEPT) -> leased[other] = 0 :: else fi
  }
  leased[me] = mine; my_number = token; my_token = token; has_lease = true
}

/* storage/s3/numbers.py _given, which a look-up leaves as it is */
#define IS_HANDED (handed == token || OFF(HANDED_TO_ANYBODY))
#define ALL_GIVEN (parallel || (IS_HANDED && STOP(mine) <= reserved_end))

/* records/leased_lookup.py LeasedLookup.find, or the usual look-up */
inline look_up() {
  if
  :: d_step {
      !parallel && status == UPLOADING && !expired && OFFSET(recorded) == START(mine) ->
      my_status = status; my_recorded = recorded; my_named = named; my_expired = expired;
      in_multipart = multipart;
      my_attempt = reserved_attempt; my_until = reserved_until; my_end = reserved_end;
      found_leased = ALL_GIVEN;
      enter()
    }
  :: read_record()
  fi
}

/* engine/leasing.py Leasing._has_lease and _enter */
inline take_lease() {
  allowed = found_leased; found_leased = false;
  do
  :: allowed -> break
  :: !allowed && MAY_WRITE ->
    d_step {
      changed = STATUS_IS(UPLOADING) && TOKEN_IS(my_token) && OFFSET_IS(my_recorded);
      if
      :: changed -> reserve(); enter(); allowed = true
      :: else
      fi
    }
    if
    :: changed -> break
    :: !changed -> read_record(); discard_ended()
    OR_DIE
    fi
  :: !allowed && !MAY_WRITE -> break
  od
}

/* storage/s3/numbers.py reserve */
inline reserve() {
  if
  :: IS_HANDED ->
    reserved_end = (STOP(mine) > reserved_end -> STOP(mine) : reserved_end)
  :: !IS_HANDED && (START(mine) >= reserved_end || OFF(NUMBERS_USED_AGAIN)) ->
    reserved_attempt = 0; reserved_until = 0; reserved_end = STOP(mine)
  :: else ->
    reserved_attempt = (START(mine) >= reserved_until -> 1 : reserved_attempt + 1);
    reserved_until = reserved_end;
    reserved_end = (STOP(mine) > reserved_end -> STOP(mine) : reserved_end)
  fi;
  my_attempt = reserved_attempt; my_until = reserved_until; my_end = reserved_end
}

/* storage/s3/writer.py S3Writer.write: what is not sent yet counts for nothing */
inline write_unit() { stands = true }

/* storage/s3/numbers.py PartNumbers.of */
#define NUMBER(unit) ((unit) < my_until -> my_attempt : 0)

/* storage/s3/writer.py S3Writer._send_slot, S3Writer._flush */
inline sync() {
  unit = START(mine);
  do
  :: unit < STOP(mine) && HAS(my_recorded, unit) -> unit++
  :: unit < STOP(mine) && !HAS(my_recorded, unit) ->
    if
    :: objects = objects | OBJECT(me, unit); unit++ /* storage/s3/objects.py Objects.put */
    :: !parallel && NUMBER(unit) < 3 ->
      /* engine/leasing.py Leasing._may_hide: only sequential dialects send parts */
      if
      :: in_multipart == 0 -> /* storage/s3/writer.py S3Writer._start_multipart */
        open = open | BIT(me);
        notes = notes | BIT(me);
        in_multipart = me
      :: else
      fi;
      d_step {
        my_attempts[unit] = NUMBER(unit);
        stands = (open & BIT(in_multipart)) != 0;
        if
        :: stands -> sent[PART(in_multipart, unit, my_attempts[unit])] = me; in_parts = in_parts | (1 << unit)
        :: else /* NoSuchUpload */
        fi;
        check()
      }
      if :: !stands -> goto refused :: else fi;
      unit++
    :: goto over
    fi
  :: unit == STOP(mine) -> break
  od
}

inline look_at_lease() { stands = has_lease }
inline remember_lease() { skip }
inline release() { skip }

/* storage/s3/objects.py Objects.forget */
inline discard_part() {
  d_step { seen_objects = objects; seen_notes = notes }
  d_step { open = open & ~seen_notes; check() }
  d_step { objects = objects & ~seen_objects; notes = notes & ~seen_notes; check(); seen_objects = 0; seen_notes = 0 }
}

/* storage/s3/assembly.py Assembly.make */
inline promote() {
  d_step {
    /* storage/s3/assembly.py is_file_of */
    found = made;
    taken = !found && parts == 0 && DURABLE == BOTH /* the bytes have been read */
  }
  if
  :: found
  :: taken -> taken = false;
    d_step { made = true; made_of[0] = owner[0]; made_of[1] = owner[1]; check() }
  :: !found && !taken ->
    d_step {
      /* storage/s3/bucket.py Bucket.complete: our list, with ETags; it can fail and be repeated */
      if
      :: parts && (open & BIT(multipart)) && DURABLE == BOTH ->
        made = true; made_of[0] = CONTENT(0); made_of[1] = CONTENT(1);
        open = open & ~BIT(multipart); check()
      :: else
      fi;
      found = made
    }
    if :: !found -> goto part_missing_at_end :: else fi
  fi;
  promoted = true
}

/* storage/s3/storage.py S3Storage.retract, S3Storage.delete: nobody else has this key */
inline retract() { d_step { made = false; check() } }
inline delete_named() { d_step { made = false; check() } }
inline delete_late() { retract(); discard_part() }

/* records/lease.py CompletionLeases.hold */
inline take_hook_lease() {
  d_step {
    stands = hook_holder == 0 || hook_dead || OFF(HOOK_NOT_LOCKED);
    if :: stands -> hook_holder = me; hook_dead = false :: else fi
  }
  if
  :: stands
  :: !stands
  :: !stands -> d_step { excused = true; stands = true; hook_holder = me } /* it stands still: the lease expires */
  fi
}
inline release_hook_lease() { d_step { if :: hook_holder == me -> hook_holder = 0 :: else fi } }

inline forget_open_files() {
  in_multipart = 0; in_parts = 0; my_attempts[0] = 0; my_attempts[1] = 0; my_end = 0; my_until = 0; my_attempt = 0;
  seen_objects = 0; seen_notes = 0; part = 0; my_number = 0; found_leased = false;
  if :: hook_holder == me -> hook_dead = true :: else fi
}

/* maintenance/orphans.py _look, _look_at_records; storage/s3/storage.py S3Storage.discard_orphan */
inline sweep() {
  d_step { found = objects || notes || open };
  read_record();
  if
  :: found && (my_status == GONE || my_status == COMPLETE) -> discard_part(); open = 0
  :: else
  fi;
  read_record();
  d_step { found = objects || notes } /* storage/s3/storage.py S3Storage.has_part */
}

/* delete-expired-uploads and delete-orphans, when nothing else runs */
inline clean_up() {
  d_step {
    if
    :: status == DELETING -> made = false; status = GONE
    :: else
    fi;
    if :: status == GONE || status == COMPLETE -> objects = 0; notes = 0; open = 0 :: else fi
  }
}
#define LEFTOVERS (status == GONE && made && !spoiled)

proctype OtherUpload() { skip } /* no other upload has this key */
