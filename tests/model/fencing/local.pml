/* A local disk: one part by name, and beside it the table of write leases (storage/local/).
 *
 * Files have numbers, since an open one outlives its name. Both "hosts" are two server processes of
 * the one host.
 */

byte part_name = 1;     /* the file that <upload_id>.part names; 0: none */
byte ended_part;        /* the file that <upload_id>.removed names */
byte final_name;        /* the file that has the final name; OTHERS: another upload's */
byte files = 1;         /* files made so far */
byte file[10];          /* whose bytes: [file * 2 + unit] */
byte durable[10];       /* the same on the disk, after a power cut */
#define OTHERS 9

bool abandoned;         /* a request has died that made the part of an upload without a record */

byte table_name = 1;    /* the file that <upload_id>.turn names */
byte tables = 1;
byte next_number[5];    /* by table */
byte leased[4];         /* the units that a request's entry has; 0: no entry */
byte leased_in[4];      /* the table with its entry */

/* What the last commit was, in the table's file. */
byte kept_number, kept_recorded, kept_token;

/* The number of a table's first lease, which is random: storage/local/lease_table.py _next_number. */
#define FIRST_NUMBER (20 + 10 * files + me)

#define KEPT_FILE (status == COMPLETE -> final_name : part_name)
#define CONTENT(unit) file[KEPT_FILE * 2 + unit]
#define DURABLE ((durable[KEPT_FILE * 2] == file[KEPT_FILE * 2] && KEPT_FILE != 0 -> 1 : 0) \
  + (durable[KEPT_FILE * 2 + 1] == file[KEPT_FILE * 2 + 1] && KEPT_FILE != 0 -> 2 : 0))

inline start_storage() {
  d_step {
    next_number[1] = 1;
    if :: recorded & 1 -> file[2] = EARLIER; durable[2] = EARLIER :: else fi;
    if :: recorded & 2 -> file[3] = EARLIER; durable[3] = EARLIER :: else fi;
    if
    :: recorded -> /* committed under the first lease */
      next_number[1] = 2; kept_number = 1; kept_recorded = recorded; kept_token = token
    :: else
    fi
  }
}

inline look_up() { read_record() }
inline read_storage_state() { skip }
inline commit_storage_state() { skip }

#define STANDS (leased[me] != 0)

/* storage/local/lease.py LocalLease.close */
inline release() {
  d_step { leased[me] = 0 }
}

/* storage/local/storage.py LocalStorage.open_writer, in its three steps; then engine/leasing.py
 * Leasing._confirm. Sets `allowed`. */
inline take_lease() {
  allowed = false;
  d_step {
    /* LocalStorage.open_part */
    if
    :: part_name == 0 && my_recorded == 0 ->
      files++; INVARIANT(enough_files, files < 5); part_name = files; part = part_name;
      made_part = true
    :: part_name == 0 && my_recorded != 0 -> part = 0
    :: else -> part = part_name
    fi
  }
  if
  :: part == 0 -> goto part_missing
  :: else
  fi;
  d_step {
    /* LocalStorage.open_side */
    if
    :: table_name == 0 ->
      tables++; INVARIANT(enough_tables, tables < 5); table_name = tables; next_number[tables] = FIRST_NUMBER;
      kept_number = 0
    :: else
    fi;
    table = table_name
  }
  d_step {
    /* storage/local/lease_table.py Entry._take */
    preempted = false; alone = true;
    for (other : 1 .. 3) {
      if
      :: leased[other] && leased_in[other] == table ->
        alone = false;
        if :: leased[other] & mine -> leased[other] = 0; preempted = true :: else fi
      :: else
      fi
    }
    leased[me] = mine; leased_in[me] = table;
    number = next_number[table]; next_number[table]++
  }
  if
  :: !OFF(TOKEN_NOT_RAISED) && (preempted || (parallel && my_recorded == 0 && !creates)) ->
    token++ /* records/repository.py Records.raise_fencing_token */
  :: else
  fi;
  d_step {
    /* storage/local/lease_table.py Entry.follows */
    known = kept_number != 0 && kept_number == number - 1 &&
      kept_recorded == my_recorded && kept_token == my_token
  }
  if
  :: OFF(NOT_READ_AGAIN) || (known && !preempted) -> allowed = true
  :: else ->
    /* engine/parts.py EngineParts.look_again */
    read_record();
    discard_ended();
    allowed = MAY_WRITE
  fi
}

/* storage/local/lease.py LocalLease.write: the check and the write are one step, under flock */
inline write_unit() {
  if :: OFF(LOCK_NOT_HELD) -> stands = STANDS :: else fi;
  d_step {
    stands = (OFF(LOCK_NOT_HELD) -> stands : OFF(LEASE_NOT_CHECKED) || STANDS);
    if
    :: stands -> if :: !HAS(my_recorded, unit) -> file[part * 2 + unit] = me :: else fi
    :: else
    fi;
    check()
  }
}

/* storage/local/lease.py LocalLease.sync */
inline sync() {
  d_step { durable[part * 2] = file[part * 2]; durable[part * 2 + 1] = file[part * 2 + 1] }
}

/* engine/chunk.py Chunk._look_again asks after it has read the record */
inline look_at_lease() { stands = STANDS }

/* storage/local/lease_table.py Entry.keep, while the entry stands or has been preempted */
inline remember_lease() {
  if :: found = true :: found = false /* the disk is full */ fi;
  d_step {
    if
    :: found && table == table_name && (alone || OFF(KEPT_BESIDE_OTHERS)) ->
      /* into the file that has the name; another one is not read any more */
      kept_number = number; kept_recorded = my_recorded; kept_token = my_token
    :: else
    fi;
    number = 0; alone = false; found = false
  }
}

/* storage/local/ending.py end_leases, storage/local/lease_table.py end_all */
inline end_leases() {
  d_step {
    for (other : 1 .. 3) {
      if
      :: !OFF(TABLE_NOT_ENDED) && leased[other] && leased_in[other] == table_name -> leased[other] = 0
      :: else
      fi
    }
    if
    :: table_name && !OFF(TABLE_NOT_ENDED) -> next_number[table_name] = FIRST_NUMBER; kept_number = 0
    :: else
    fi
  }
}

/* storage/local/storage.py LocalStorage.discard_part, LocalStorage.discard_orphan */
inline discard_part() {
  end_leases();
  d_step { part_name = 0; check() }
  d_step { table_name = 0 }
}

/* storage/local/storage.py LocalStorage.promote, LocalStorage._link */
inline promote() {
  d_step { part = part_name };
  if :: part == 0 -> goto part_missing_at_end :: else fi;
  d_step {
    taken = false;
    if
    :: part_name == 0 -> part = 0
    :: part_name != 0 && final_name == 0 -> final_name = part_name; promoted = true
    :: part_name != 0 && final_name == OTHERS -> taken = true /* it gets a name of its own */
    :: else -> promoted = true
    fi
  }
  if
  :: part == 0 -> goto part_missing_at_end
  :: taken -> goto over
  :: else
  fi
}

/* storage/local/storage.py LocalStorage.withdraw, storage/local/ending.py end, names_of: without its
 * name, the part gets no other name. A late first chunk may make a part again at any time. */
inline delete_late() {
  if
  :: OFF(NAMES_REMOVED_FIRST) ->
    d_step { if :: part_name != 0 && final_name == part_name -> final_name = 0 :: else fi }
  :: else
  fi;
  do
  :: d_step {
       if :: part_name != 0 && ended_part == 0 -> ended_part = part_name; part_name = 0 :: else fi;
       part = ended_part
     }
     if :: part == 0 -> break :: else fi;
     d_step {
       if :: !OFF(NAMES_REMOVED_FIRST) && final_name == part -> final_name = 0 :: else fi;
       check()
     }
     d_step { ended_part = 0 }
     if :: OFF(PART_REMOVED_BY_NAME) -> break :: else fi
  od;
  if :: OFF(PART_REMOVED_BY_NAME) -> discard_part() :: else -> end_leases(); d_step { table_name = 0 } fi;
  made_part = false
}

/* Another upload, whose file may get the name that this one has given up. */
byte other_upload;      /* 0; 1: its part is linked to the name; 2: its record has the name */

proctype OtherUpload() {
  if
  :: atomic { final_name == 0 -> final_name = OTHERS; other_upload = 1 };
     other_upload = 2
  :: skip
  fi
}

/* storage/local/storage.py LocalStorage.delete_own, storage/local/ending.py locked: a flock of the
 * file itself, which its holder's death releases */
byte remover;
inline delete_named() {
  d_step {
    found = final_name != 0 && !(final_name == OTHERS && other_upload == 1) || OFF(NAME_NOT_LOOKED_AT);
    part = final_name;
    stands = remover == 0 || final_name == OTHERS || OFF(REMOVAL_NOT_LOCKED);
    if :: found && stands -> remover = me :: else fi
  }
  if
  :: found && !stands -> goto over /* 503; the cleaner continues */
  :: found && stands ->
    d_step { found = final_name == part && !(final_name == OTHERS && other_upload == 2) || OFF(NAME_NOT_LOOKED_AT) };
    if :: found -> delete_final() :: else fi;
    d_step { if :: remover == me -> remover = 0 :: else fi }
  :: !found
  fi
}

/* storage/local/storage.py LocalStorage.delete */
inline delete_final() {
  d_step { INVARIANT(nobody_elses_file, final_name != OTHERS); final_name = 0; check() }
}

/* storage/local/storage.py LocalStorage.only_one: a flock too */
inline take_hook_lease() {
  d_step {
    stands = hook_holder == 0 || OFF(HOOK_NOT_LOCKED);
    if :: stands -> hook_holder = me :: else fi
  }
}
inline release_hook_lease() { d_step { if :: hook_holder == me -> hook_holder = 0 :: else fi } }

inline forget_open_files() {
  if :: made_part && status == GONE -> abandoned = true :: else fi;
  made_part = false;
  part = 0; table = 0; number = 0; alone = false;
  if :: !leased[me] -> leased_in[me] = 0 :: else fi;
  if :: hook_holder == me -> hook_holder = 0 :: else fi;
  if :: remover == me -> remover = 0 :: else fi
}

/* maintenance/orphans.py _look, _look_at_records, remove_orphans */
inline sweep() {
  d_step { found = part_name != 0 };
  read_record();
  if
  :: found && (my_status == GONE || my_status == COMPLETE) -> discard_part()
  :: else
  fi;
  read_record();
  d_step { found = part_name != 0 }
}

/* delete-expired-uploads and delete-orphans, when nothing else runs */
inline clean_up() {
  d_step {
    if
    :: status == DELETING ->
      if
      :: final_name != OTHERS && (named || final_name == part_name || final_name == ended_part) ->
        final_name = 0
      :: else
      fi;
      part_name = 0; ended_part = 0; status = GONE
    :: else
    fi;
    if :: status == GONE || status == COMPLETE -> part_name = 0 :: else fi
  }
}
/* When two requests die: one that had linked a part, and the late first chunk that had made the part
 * again after the removal. Nobody knows then whose the file was. */
#define LEFTOVERS (!(spoiled && abandoned) && status == GONE && (ended_part != 0 || (final_name != 0 && final_name != OTHERS)))
#define STORAGE_LOCALS bool made_part, alone;
