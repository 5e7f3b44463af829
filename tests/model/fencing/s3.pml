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
byte leased[8];         /* write_leases, by request; from 5 on those that were taken ahead */

/* In one process: the lease that its last commit has taken ahead (engine/leases_ahead.py). */
byte ahead;             /* which of those it is; 0: none */
byte aheads;            /* how many there were */
byte ahead_token, ahead_attempt, ahead_until, ahead_end;

bool hook_dead;         /* the holder of the completion lease has died */

#define NUMBERED(unit) sent[PART(multipart, unit, attempts[unit])]
#define CONTENT(unit) (made && status == COMPLETE -> made_of[unit] : \
  (HAS(parts, unit) -> (open & BIT(multipart) -> NUMBERED(unit) : (made -> made_of[unit] : 0)) : \
  (owner[unit] != 0 && (objects & OBJECT(owner[unit], unit)) -> owner[unit] : 0)))
#define DURABLE ((CONTENT(0) != 0 -> 1 : 0) + (CONTENT(1) != 0 -> 2 : 0))

#define STORAGE_LOCALS \
  byte in_multipart, in_parts, my_attempts[2], my_end, my_until, my_attempt, seen_objects, seen_notes, my_lease; \
  bool has_lease, goes_on;

/* engine/record_lease.py RecordLease.released and ended: for the second unit, if nobody else writes.
 * Whether the next request comes to the process that remembers it is open. */
inline take_ahead() {
  found_other = 0;
  for (other : 1 .. 7) {
    if :: leased[other] -> found_other = 1 :: else fi
  }
  if
  :: found_other == 0 && aheads < 3 ->
    if :: !OFF(AHEAD_NUMBERS_HANDED_OVER) :: else -> handed = token + 1 fi;
    token++;
    leased[5 + aheads] = 2;
    reserved_end = 2;
    ahead = 5 + aheads; aheads++; ahead_token = token;
    ahead_attempt = reserved_attempt; ahead_until = reserved_until; ahead_end = reserved_end
  :: else
  fi
}

inline start_storage() {
  if
  :: takes_ahead != BEFORE -> d_step { /* as objects */
    if :: recorded & 1 -> objects = objects | OBJECT(EARLIER, 0) :: else fi;
    if :: recorded & 2 -> objects = objects | OBJECT(EARLIER, 1) :: else fi }
  :: recorded && !parallel -> d_step { /* as parts */
    open = BIT(EARLIER); notes = BIT(EARLIER); multipart = EARLIER; parts = recorded;
    sent[PART(EARLIER, 0, 0)] = EARLIER;
    if :: recorded & 2 -> sent[PART(EARLIER, 1, 0)] = EARLIER :: else fi;
    reserved_end = OFFSET(recorded) }
  fi;
  if :: takes_ahead == BEFORE -> d_step { take_ahead() } :: else fi
}

inline read_storage_state() {
  has_lease = leased[my_lease] != 0; in_multipart = (in_parts -> in_multipart : multipart)
}

/* engine/record_lease.py RecordLease.released, storage/s3/writer.py S3Writer.sync */
inline commit_storage_state() {
  leased[my_lease] = 0;
  handed = my_token; /* storage/s3/numbers.py handed_over */
  if
  :: in_parts ->
    multipart = in_multipart; parts = parts | in_parts;
    if :: HAS(in_parts, 0) -> attempts[0] = my_attempts[0] :: else fi;
    if :: HAS(in_parts, 1) -> attempts[1] = my_attempts[1] :: else fi
  :: else
  fi;
  if :: recorded == 1 && goes_on -> take_ahead(); my_token = token :: else fi
}

/* engine/leases_ahead.py LeasesAhead.take and LeaseAhead.fits */
#define FITS_AHEAD (ahead && mine == 2 && my_recorded == 1 && \
  (my_token == ahead_token || OFF(AHEAD_TOKEN_NOT_COMPARED)))

inline use_ahead() {
  d_step {
    if
    :: FITS_AHEAD ->
      my_lease = ahead; has_lease = true; allowed = true;
      my_attempt = ahead_attempt; my_until = ahead_until; my_end = ahead_end;
      if :: !OFF(AHEAD_USED_TWICE) -> ahead = 0 :: else fi
    :: else
    fi
  }
}

/* engine/leasing.py Leasing._lease_in_record, engine/record_lease.py entered */
inline take_lease() {
  allowed = false; my_lease = me;
  if :: mine == 1 && my_recorded == 0 && takes_ahead == NOW -> goes_on = true :: true fi;
  if :: MAY_WRITE && FITS_AHEAD -> use_ahead() :: true fi;
  do
  :: allowed -> break
  :: !allowed && MAY_WRITE ->
    d_step {
      changed = STATUS_IS(UPLOADING) && TOKEN_IS(my_token) && OFFSET_IS(my_recorded);
      if
      :: changed ->
        reserve();
        if :: !OFF(TOKEN_NOT_RAISED) -> token++ :: else fi;
        for (other : 1 .. 7) {
          if :: leased[other] & mine && !OFF(ENTRIES_KEPT) -> leased[other] = 0 :: else fi
        }
        leased[me] = mine; my_token = token; has_lease = true; allowed = true
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
  :: handed == token && token != 0 ->
    reserved_end = (STOP(mine) > reserved_end -> STOP(mine) : reserved_end)
  :: (handed != token || token == 0) && (START(mine) >= reserved_end || OFF(NUMBERS_USED_AGAIN)) ->
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
  seen_objects = 0; seen_notes = 0; part = 0; my_lease = 0; goes_on = false;
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
