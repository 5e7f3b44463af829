/* The fencing protocol: who may write, whose bytes count, who completes, and what a removal ends.
 *
 * `make model` compiles this once for each storage, scenario and mutant (tests/model/__main__.py) and
 * looks at every order of the steps of three requests. Each step names the function that it stands
 * for. Between any two steps a request may die (its process or host with it), or stand still for any
 * time. With LOCAL defined it is for a local disk, else for an object store.
 */

#define WRITER 1
#define COMPLETER 2
#define REMOVER 3
#define EXPIRER 4
#define SWEEPER 5

#include "state.pml"

/* engine/leasing.py Leasing._check, engine/parts.py EngineParts.check_open */
#define MAY_WRITE (my_status == UPLOADING && !my_expired && \
  (parallel -> (mine & ~my_recorded) != 0 : START(mine) == OFFSET(my_recorded)))

/* A process that ends here has died, or has answered with an error: nobody is told anything. */
#define OR_DIE :: goto over

#ifdef LOCAL
#include "local.pml"
#else
#include "s3.pml"
#endif
#include "record.pml"

/* engine/parts.py EngineParts.look_again */
inline discard_ended() {
  if
  :: my_status == UPLOADING
  :: my_status == COMPLETE || (my_status != UPLOADING && OFF(PART_DISCARDED_ALONE)) -> discard_part()
  :: my_status != COMPLETE && my_status != UPLOADING && !OFF(PART_DISCARDED_ALONE) -> delete_late()
  fi
}

proctype Request(byte me; byte role) {
  byte my_status, my_recorded, my_token;
  bool my_named, my_expired;
  byte mine, unit, part, table, number;
  bool changed, allowed, preempted, known, stands, creates, promoted, taken, found;
  STORAGE_LOCALS

  creates = parallel && me == 1 && role == WRITER;
  if
  :: role == WRITER -> if :: mine = 1 :: mine = 2 :: mine = 3 fi
  :: role == COMPLETER -> goto completing
  :: role == REMOVER -> goto removing
  :: role == EXPIRER -> goto expiring
  :: role == SWEEPER -> goto sweeping
  fi;

  /* engine/leasing.py Leasing.find and Leasing.take */
  look_up();
  if :: !MAY_WRITE -> goto over :: else fi;
  take_lease();
  if
  :: !allowed -> goto refused
  :: allowed
  OR_DIE
  fi;

  /* engine/chunk.py Chunk.write */
  unit = START(mine);
  do
  :: unit < STOP(mine) ->
    write_unit();
    if :: !stands -> goto refused :: else fi;
    unit++
  :: unit == STOP(mine) -> break
  OR_DIE
  od;

  /* engine/chunk.py Chunk.finish_whole */
  if :: OFF(COMMITTED_BEFORE_SYNC) :: else -> sync() fi;
  if :: OFF(TOLD_BEFORE_COMMIT) -> told = told | mine :: else fi;
commit: skip;
  if
  :: commit_units()
  OR_DIE
  :: OFF(RELEASED_WHEN_STATEMENT_BREAKS) -> release(); commit_units(); goto over /* the statement arrives later */
  fi;
  if
  :: !changed ->
    /* engine/chunk.py Chunk._look_again */
    if :: OFF(LEASE_SEEN_BEFORE_RECORD) -> look_at_lease(); read_record()
    :: else -> read_record(); look_at_lease()
    fi;
    if :: OFF(LEASE_NOT_SEEN_AGAIN) -> stands = true :: else fi;
    if
    :: my_status != UPLOADING || my_expired || !stands -> goto refused
    :: else -> goto commit
    fi
  :: else
  fi;
  if :: OFF(COMMITTED_BEFORE_SYNC) -> sync() :: else fi;
  creates = false;
  remember_lease();
  d_step { told = told | mine; check() }
  release();
  /* dialects that complete with the last byte go on */
  if :: my_recorded == BOTH -> goto completing :: goto over fi;

refused: skip;
  release();
  if
  :: creates && status == UPLOADING ->
    /* engine/removal.py Removal.forget */
    my_status = UPLOADING; my_recorded = 0; my_token = 0; my_named = false;
    mark(OFFSET(recorded) == 0);
    if :: changed -> INVARIANT(forgets_no_bytes, told == 0); goto purge :: else -> goto over fi
  :: else -> goto over
  fi;

part_missing: skip;
  /* engine/leasing.py Leasing._take_lease */
  read_record();
  discard_ended();
  goto over;

completing: skip;
  /* engine/completion.py Completion.promote */
  read_record();
  if
  :: my_status == COMPLETE -> goto settle
  :: my_status == UPLOADING && my_recorded == BOTH && !my_expired -> promote()
  :: else -> goto over
  fi;
commit_file: skip;
  if
  :: commit_completion()
  OR_DIE
  fi;
  if
  :: !changed ->
    read_record();
    if
    :: my_status == UPLOADING -> goto commit_file
    :: my_status == COMPLETE -> goto settle
    :: my_status == DELETING || my_status == GONE -> delete_late(); promoted = false; goto over
    fi
  :: else
  fi;
settle: skip;
  /* engine/completion.py Completion.settle */
  promoted = false;
  discard_part();
  take_hook_lease();
  if
  :: stands ->
    read_record();
    if
    :: my_status == COMPLETE && !notified ->
      hooks++; /* engine/completion.py Completion._notify */
      d_step { check() };
      if
      :: notified = true
      :: excused = true; goto over
      fi
    :: else
    fi;
    release_hook_lease()
  :: else
  fi;
  d_step { told_complete = true; check() }
  goto over;

part_missing_at_end: skip;
  /* engine/completion.py Completion._part_in_use */
  read_record();
  if
  :: my_status != UPLOADING -> discard_ended(); if :: my_status == COMPLETE -> goto settle :: else fi
  :: else
  fi;
  goto over;

removing: skip;
  /* engine/removal.py Removal.abort */
  read_record();
  if :: my_status == DELETING || my_status == GONE -> goto over :: else fi;
  mark(true);
  if :: !changed -> goto removing :: changed OR_DIE fi;
  goto purge;

expiring: skip;
  /* maintenance/expiry.py delete_expired, engine/removal.py Removal.expire */
  read_record();
  if
  :: my_status == DELETING -> goto purge /* engine/removal.py Removal.finish */
  :: my_status == UPLOADING && my_expired -> skip
  :: else -> goto over
  fi;
  mark(expired || OFF(EXPIRY_NOT_COMPARED));
  if :: !changed -> goto over :: changed -> INVARIANT(only_expired_expires, expired) OR_DIE fi;
  goto purge;

sweeping: skip;
  /* maintenance/orphans.py find_orphans, remove_orphans; engine/removal.py Removal.remove_lost */
  sweep();
  if
  :: my_status == UPLOADING && OFFSET(my_recorded) > 0 && !found -> skip
  :: else -> goto over
  fi;
insist: skip;
  mark(OFFSET(recorded) == OFFSET(my_recorded));
  if
  :: changed -> INVARIANT(only_lost_is_swept, my_status == UPLOADING)
  :: !changed ->
    if :: OFF(SWEEPER_INSISTS) -> read_record() :: else -> goto over fi;
    if :: my_status == UPLOADING || my_status == COMPLETE -> goto insist :: else -> goto over fi
  OR_DIE
  fi;

purge: skip;
  /* engine/removal.py Removal._purge, Removal.discard_files */
  read_record();
  if :: my_status == GONE -> goto over :: else fi;
  delete_late();
  if :: my_named -> delete_named() :: else fi;
  remove_row();
  goto over;

over: skip;
  d_step {
    if :: promoted -> spoiled = true :: else fi;
    forget_open_files();
    alive--
  }
}

proctype Time() { expired = true }

init {
  /* As the program is told that looks through the states (tests/model/explorer.py). */
  c_code {
    now.off = atoi(getenv("OFF"));
    now.roles[1] = atoi(getenv("ROLE_1"));
    now.roles[2] = atoi(getenv("ROLE_2"));
    now.roles[3] = atoi(getenv("ROLE_3"));
    now.parallel = atoi(getenv("PARALLEL"));
    now.begun = atoi(getenv("BEGUN"));
    now.name_is_wanted = atoi(getenv("NAME_IS_WANTED"));
  };
  /* Requests of the upload before: nothing, the first unit, or all; also the second in parallel. */
  if
  :: !begun -> recorded = 0
  :: recorded = 1
  :: !begun -> recorded = BOTH
  :: parallel -> recorded = 2; token = (OFF(TOKEN_NOT_RAISED_BEYOND) -> 0 : 1) /* record.pml commit_units */
  fi;
  owner[0] = (HAS(recorded, 0) -> EARLIER : 0);
  owner[1] = (HAS(recorded, 1) -> EARLIER : 0);
  told = recorded;
  start_storage();
  alive = 3;
  atomic {
    if :: name_is_wanted -> run OtherUpload() :: else -> run Time() fi;
    run Request(1, roles[1]);
    run Request(2, roles[2]);
    run Request(3, roles[3])
  }
  alive == 0;
  /* The cleaner, once nothing else runs; its own requests do not count. */
  clean_up();
  d_step {
    INVARIANT(nothing_is_left, !LEFTOVERS);
    INVARIANT(nothing_is_missing, (status != UPLOADING && status != COMPLETE) || (recorded & ~DURABLE) == 0);
    INVARIANT(removal_is_whole, status != DELETING)
  }
}
