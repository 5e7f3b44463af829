/* The statements on the record, each one atomic step. */

/* After every step that changes the record or the storage. */
inline check() {
  d_step {
    INVARIANT(acknowledged_is_recorded,
      status == DELETING || status == GONE || (told & ~recorded) == 0);
    INVARIANT(one_completion, completions <= 1);
    INVARIANT(completed_stays_complete, !told_complete || status != UPLOADING);
    INVARIANT(one_hook, hooks <= 1 || excused);
    if
    :: status == UPLOADING || status == COMPLETE ->
      INVARIANT(recorded_is_durable, (recorded & ~DURABLE) == 0);
      INVARIANT(bytes_are_one_writers,
        (!HAS(recorded, 0) || CONTENT(0) == owner[0]) &&
        (!HAS(recorded, 1) || CONTENT(1) == owner[1]))
    :: else
    fi
  }
}

/* records/lookup.py Lookup.find, records/repository.py Records.refresh */
inline read_record() {
  d_step {
    my_status = status; my_recorded = recorded; my_token = token;
    my_named = named; my_expired = expired;
    read_storage_state()
  }
}

/* records/repository.py Records.swap, called by engine/chunk.py Chunk._swap */
inline commit_units() {
  d_step {
    changed = STATUS_IS(UPLOADING) && TOKEN_IS(my_token) && OFFSET_IS(my_recorded);
    if
    :: changed ->
      INVARIANT(offset_never_goes_back, OFFSET(my_recorded | mine) >= OFFSET(recorded));
      INVARIANT(one_writer_succeeds, (recorded & mine & ~my_recorded) == 0);
      INVARIANT(nothing_is_recorded_after_the_end, status == UPLOADING);
      if :: HAS(mine & ~my_recorded, 0) -> owner[0] = me :: else fi;
      if :: HAS(mine & ~my_recorded, 1) -> owner[1] = me :: else fi;
      /* engine/chunk.py Chunk._merged: beyond the offset, only the token tells commits apart */
      if
      :: !OFF(TOKEN_NOT_RAISED_BEYOND) && (OFFSET(my_recorded | mine) == 0 || my_recorded == 2) ->
        token++
      :: else
      fi;
      recorded = my_recorded | mine;
      my_recorded = recorded; my_token = token;
      expired = false;
      commit_storage_state();
      check()
    :: else
    fi
  }
}

/* engine/completion.py Completion.commit */
inline commit_completion() {
  d_step {
    changed = STATUS_IS(UPLOADING) && TOKEN_IS(my_token) && OFFSET_IS(my_recorded);
    if
    :: changed ->
      INVARIANT(removal_wins_or_loses, status == UPLOADING || status == COMPLETE);
      status = COMPLETE; named = true; completions++;
      check()
    :: else
    fi
  }
}

/* engine/removal.py Removal._mark, Removal.expire, Removal.forget: one try */
inline mark(allowed) {
  d_step {
    changed = STATUS_IS(my_status) && TOKEN_IS(my_token) && (allowed);
    if :: changed -> status = DELETING; :: else fi
  }
}

/* records/repository.py Records.remove */
inline remove_row() {
  d_step {
    if
    :: status == DELETING -> status = GONE
    :: else
    fi;
    check()
  }
}
