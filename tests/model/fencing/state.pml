/* What all requests share: the upload's record, and what clients have been told.
 *
 * The file has two units of bytes. Sets of units are masks: 1, 2, or 3 for both. A request is a
 * number, and so are the bytes that it writes; EARLIER wrote what is recorded at the start.
 * Every statement is one atomic step. A request may die before and after each, and a slow one may
 * carry it out at any later time, so a lost answer and a statement that arrives late are included.
 */

#define EARLIER 4
#define BOTH 3
#define OFFSET(units) ((units) == BOTH -> 2 : ((units) & 1))
#define START(units) ((units) == 2 -> 1 : 0)
#define STOP(units) ((units) == 1 -> 1 : 2)
#define HAS(units, unit) (((units) >> (unit)) & 1)

/* records/model.py Status; GONE is an upload without a row */
#define GONE 0
#define UPLOADING 1
#define COMPLETE 2
#define DELETING 3

byte status = UPLOADING;
byte recorded;          /* offset and received */
byte token;             /* fencing_token */
bool named;             /* path is set */
bool notified;
bool expired;           /* expires_on lies in the past, by the database's clock */
byte hook_holder;       /* lease_token */

/* Not part of the service: what has happened. */
byte owner[2];          /* whose bytes the record means, by unit */
byte told;              /* units that a client has been told are stored */
bool told_complete;
byte completions, hooks;
bool excused;           /* a hook may run again: its holder died, or stood still, in it */
bool spoiled;           /* a completer died after it made the file of an upload that is removed */
byte alive;             /* requests that are running */

/* What is looked at (tests/model/settings.py); it does not change. */
byte off;               /* the guard that is switched off; 0: none */
byte roles[4];          /* what each request does */
bool parallel;          /* whether a dialect sends chunks in any order; the first request creates */
bool begun;             /* whether the first unit is recorded, as a part in a store, and no other one */
bool name_is_wanted;    /* whether another upload wants the final name, once it is free */

hidden byte other;      /* counts within a step */

/* The guards of the protocol. Each can be switched off, and the model must then fail. */
#define OFF(guard) (off == (guard))
#define TOKEN_IS(it) (OFF(TOKEN_NOT_COMPARED) || token == (it))
#define OFFSET_IS(units) (OFF(OFFSET_NOT_COMPARED) || OFFSET(recorded) == OFFSET(units))
#define STATUS_IS(it) (OFF(STATUS_NOT_COMPARED) || status == (it))

/* The names are numbers, by which the search says which one does not hold. */
#define INVARIANT(name, holds) assert((holds) || name == 0)
