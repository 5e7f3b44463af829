/**
 * The types of the library's interface, for editors and the type checker; there is no code here.
 */

/**
 * What `new ChunkedUploader(options)` takes; every option may be left out.
 *
 * @typedef {object} UploaderOptions
 * @property {string} [endpoint] Where the service is mounted; relative to the page. Default `/uploads/`.
 * @property {number} [chunkSize] Largest chunk in bytes (default 8 MiB). Chunks get smaller on a slow
 *   line, so that a lost connection costs seconds, and behind a proxy that takes less (413).
 * @property {number} [simultaneous] Uploads that may have a request under way at a time (default 3).
 * @property {string} [fieldName] Form field of the file in an upload's first request (default `file`).
 * @property {boolean} [md5] Compute the MD5 while uploading and let the server check it (default
 *   true). False for servers that complete without one.
 * @property {boolean} [resume] Remember unfinished uploads in this browser, and look for the same
 *   file on the server (default true).
 * @property {number} [maxBytes] Largest file; larger ones fail before a byte is sent.
 * @property {string} [accept] File types, as in `<input accept>`: `".pdf,image/*"`.
 * @property {string} [refuse] File types not taken, written as in `accept`: `".exe,.bat"`; they fail as
 *   `type` before a byte is sent.
 * @property {Record<string, string>} [metadata] Fields to store with every upload.
 * @property {() => HeaderList | Promise<HeaderList>} [headers] More headers for each request, such as
 *   `Authorization`; asked before each request.
 * @property {((asked: {refused: boolean}) => string | null | Promise<string | null>) | null} [csrf] The
 *   CSRF token, sent as `X-CSRFToken`; asked before each request that changes something, and once
 *   more with `refused: true` when the server did not take it. By default the service itself is
 *   asked for one when it wants one.
 * @property {RequestCredentials} [credentials] As `fetch` has it (default `same-origin`); `include`
 *   sends cookies to another origin.
 * @property {number[]} [retryDelays] Milliseconds before each new try after a failure; the last one
 *   repeats. Each is lengthened or shortened by up to a quarter, by chance.
 * @property {number} [stallTimeout] Milliseconds without progress after which a request counts as
 *   lost (default 60,000).
 * @property {string | URL} [workerUrl] Where `md5-worker.js` is, if not beside this library. It must be
 *   of the page's own origin.
 */

/** @typedef {Record<string, string>} HeaderList */

/**
 * - `queued`: waits for its turn;
 * - `checking`: reads samples of the file and asks the server whether some of it is there;
 * - `uploading`;
 * - `waiting`: cannot go on now and will by itself; `upload.waiting` says for what;
 * - `paused`: by `pause()`;
 * - `completing`: all bytes are stored; the MD5 is being finished and checked;
 * - `done`: `upload.result` is the server's record of the file;
 * - `failed`: `upload.error` says why; `retry()` tries again;
 * - `canceled`: by `cancel()`; removed here and on the server.
 *
 * @typedef {"queued" | "checking" | "uploading" | "waiting" | "paused" | "completing" | "done" |
 *   "failed" | "canceled"} UploadState
 */

/**
 * - `network`: no connection; goes on when there is one;
 * - `server`: the server has a problem or asked to come back later;
 * - `storage-full`: no room on the server's disk;
 * - `sign-in`: the server does not know who this is. Sign in, then call `resume()` (it is also
 *   called when the window gets the focus again);
 * - `other-tab`: another tab or upload is sending the same file.
 *
 * @typedef {"network" | "server" | "storage-full" | "sign-in" | "other-tab"} WaitReason
 */

/**
 * @typedef {object} Waiting
 * @property {WaitReason} reason
 * @property {number | null} until When the next try is, as `Date.now()` counts; null: not by time.
 * @property {number} attempt How many tries have failed in a row.
 * @property {string} detail What the server said, for people; may be empty.
 */

/**
 * - `type`: refused by `accept` or `refuse`; data: both;
 * - `size`: larger than `maxBytes`; data: `maxBytes`, `size`;
 * - `changed`: the file was changed, moved or removed on disk since it was chosen; choose it again;
 * - `unreadable`: the browser may not read the file (any more);
 * - `checksum`: what the server stored is not what was read here; `retry()` sends it all again;
 * - `refused`: the server does not take it; `status` and `detail` are the server's;
 * - `server`: the server failed again and again; `status` and `detail` are the server's;
 * - `network`: the server cannot be reached. Uploads wait for it; `list` and `remove` do not;
 * - `worker`: the MD5 worker could not be started;
 * - `internal`: a mistake in this library.
 *
 * @typedef {"type" | "size" | "changed" | "unreadable" | "checksum" | "refused" | "server" | "network" |
 *   "worker" | "internal"} ErrorCode
 */

/**
 * - `resumed`: goes on from `offset` bytes that were there before;
 * - `expired`: the server had given up the unfinished upload; it begins anew;
 * - `missing`: the server has no such upload any more; it begins anew;
 * - `different-file`: a file of this name was begun, but it is not the same file; it begins anew;
 * - `elsewhere`: another tab has uploaded this file in the meantime.
 *
 * @typedef {"resumed" | "expired" | "missing" | "different-file" | "elsewhere"} NoticeCode
 */

/**
 * @typedef {object} Notice
 * @property {NoticeCode} code
 * @property {Record<string, unknown>} data `offset` for `resumed`.
 * @property {string} message In English; see messages.js.
 */

/**
 * The server's record of an upload.
 *
 * @typedef {object} UploadRecord
 * @property {string} upload_id
 * @property {string} filename
 * @property {number} offset Bytes stored.
 * @property {number | null} length Bytes of the whole file; null while unknown.
 * @property {string | null} md5 Once complete.
 * @property {1 | 2} status 1 while uploading, 2 when complete.
 * @property {string} created_on
 * @property {string | null} completed_on
 * @property {string | null} expires When an unfinished upload is given up.
 * @property {Record<string, string>} metadata
 * @property {string | null} url Where a completed file is downloaded.
 */

/**
 * @typedef {object} UploadPage
 * @property {UploadRecord[]} uploads Newest first.
 * @property {number} page
 * @property {number} per_page
 * @property {number} total
 * @property {string | null} next Path of the next page.
 */

/**
 * An unfinished upload as this browser remembers it.
 *
 * @typedef {object} Remembered
 * @property {string} endpoint
 * @property {string} uploadId
 * @property {string} name
 * @property {number} size
 * @property {string} type
 * @property {number} lastModified
 * @property {string} fingerprint
 * @property {number} offset Bytes that the server had confirmed; it may have more.
 * @property {string | null} expires
 * @property {number} updated As `Date.now()` counts.
 * @property {FileSystemFileHandle | null} handle Where the browser has File System Access.
 * @property {Checkpoint | null} checkpoint
 * @property {UploadRecord | null} result Set for a short time after it was done.
 */

/**
 * MD5 of a file's first `length` bytes.
 *
 * @typedef {{length: number, md5: string}} Checkpoint
 */

/**
 * @typedef {object} AddOptions
 * @property {Record<string, string>} [metadata] Fields to store with this upload, over the uploader's.
 * @property {FileSystemFileHandle | null} [handle] Where the file came from, so that it can be opened again
 *   after a reload.
 */

/**
 * Detail of the uploader's and the uploads' events.
 *
 * @typedef {object} StateChange
 * @property {UploadState} from
 * @property {UploadState} to
 * @property {Waiting | null} waiting
 */

/**
 * @typedef {object} Progress
 * @property {number} offset Bytes the server has confirmed.
 * @property {number} sent Bytes the server has confirmed and those on their way; for progress bars.
 * @property {number} size
 * @property {number} speed Bytes per second, smoothed; 0 while unknown.
 * @property {number | null} secondsLeft Null while unknown.
 */

/** @typedef {{uploads: number, done: number, failed: number} & Omit<Progress, "offset">} TotalProgress */

/**
 * What the uploads of one uploader share.
 *
 * @typedef {object} Parts
 * @property {import("./options.js").Options} options
 * @property {import("./server.js").Server} server
 * @property {import("./slots.js").Slots} slots
 * @property {import("./hasher.js").Hasher} hasher
 * @property {import("./memory.js").Memory} memory
 * @property {(upload: import("./upload.js").Upload) => void} onChange
 * @property {(upload: import("./upload.js").Upload) => void} onCanceled
 * @property {() => void} onProgress
 */

export {};
