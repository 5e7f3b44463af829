/**
 * The types of the library's interface, for editors and the type checker. There is no code here.
 */

/**
 * Options of `new ChunkedUploader(options)`. All of them are optional.
 *
 * @typedef {object} UploaderOptions
 * @property {string} [endpoint] URL of the service, relative to the page. Default `/uploads/`.
 * @property {number | null} [chunkSize] Most bytes of one request (default: as many as the line can bear).
 *   Requests get shorter where a lost connection would cost work, and behind a proxy that refuses them
 *   (413).
 * @property {"auto" | "offsets" | "chunks"} [protocol] How bytes are sent: by the IETF's resumable uploads
 *   (`offsets`), which keep what arrives, or in django-chunked-upload's `chunks`. By default the server is
 *   asked whether it speaks the former.
 * @property {number} [simultaneous] Uploads that run at the same time (default 3).
 * @property {string} [fieldName] Form field of the file in an upload's first request (default
 *   `file`).
 * @property {boolean} [md5] Compute the checksum while uploading and let the server check it (default
 *   true). Use false with servers that complete uploads without one.
 * @property {ChecksumName} [checksum] Which checksum (default `md5`). Use `sha256` with servers that
 *   keep only that one.
 * @property {boolean} [resume] Remember unfinished uploads in this browser, and look for an upload of
 *   the same file on the server (default true).
 * @property {number | (() => number | null)} [maxBytes] Largest file in bytes, or a function that returns it (null: any
 *   size), where it is known later. Larger ones fail before a byte is sent.
 * @property {string} [accept] File types, as in `<input accept>`: `".pdf,image/*"`.
 * @property {string} [refuse] File types that are refused, as in `accept`: `".exe,.bat"`. They fail with
 *   the code `type` before a byte is sent.
 * @property {Record<string, string>} [metadata] Fields to store with every upload.
 * @property {() => HeaderList | Promise<HeaderList>} [headers] Returns more headers, such as
 *   `Authorization`. Called before each request.
 * @property {((asked: {refused: boolean}) => string | null | Promise<string | null>) | null} [csrf] Returns
 *   the CSRF token, which is sent as `X-CSRFToken`. Called before each request that changes something,
 *   and again with `refused: true` when the server refused the token. By default the library gets a
 *   token from the service when the service requires one.
 * @property {RequestCredentials} [credentials] As for `fetch` (default `same-origin`). `include` sends
 *   cookies to another origin.
 * @property {number[]} [retryDelays] Milliseconds before each new try after a failure; the last one
 *   repeats. Each varies at random by up to 25 %.
 * @property {number} [stallTimeout] Milliseconds without progress after which a request counts as
 *   lost (default 60,000).
 * @property {string | URL} [workerUrl] URL of `md5-worker.js`, if it is not beside this library. It must
 *   be of the page's own origin.
 */

/** @typedef {"md5" | "sha256"} ChecksumName */

/** @typedef {Record<string, string>} HeaderList */

/**
 * - `queued`: waits until fewer than `simultaneous` uploads run;
 * - `checking`: reads samples of the file and asks the server what it already has;
 * - `uploading`;
 * - `waiting`: is interrupted and continues by itself; `upload.waiting` says why;
 * - `paused`: by `pause()`;
 * - `completing`: the server has all bytes; the MD5 is finished and checked;
 * - `done`: `upload.result` is the server's record of the file;
 * - `failed`: `upload.error` says why; `retry()` tries again;
 * - `canceled`: by `cancel()`; deleted here and on the server.
 *
 * @typedef {"queued" | "checking" | "uploading" | "waiting" | "paused" | "completing" | "done" |
 *   "failed" | "canceled"} UploadState
 */

/**
 * - `offline`: the browser has no network; continues when it has one;
 * - `unreachable`: there is a network, but the server does not answer;
 * - `server`: the server has a problem, or asked the client to wait;
 * - `storage-full`: the server's disk is full;
 * - `sign-in`: authentication is required. Let the user sign in, then call `resume()`. The library also
 *   tries again when the window gets the focus;
 * - `other-tab`: another tab is sending the same file;
 * - `same-file`: the same file is in this uploader's list already; both finish together.
 *
 * @typedef {"offline" | "unreachable" | "server" | "storage-full" | "sign-in" | "other-tab" |
 *   "same-file"} WaitReason
 */

/**
 * @typedef {object} Waiting
 * @property {WaitReason} reason
 * @property {number | null} until Time of the next try, as `Date.now()` counts, for a countdown;
 *   `upload.resume()` tries now. Null: no fixed time.
 * @property {number} attempt Tries that failed in a row.
 * @property {string} detail The server's message; may be empty.
 */

/**
 * - `type`: refused by `accept` or `refuse`; data: both;
 * - `size`: larger than `maxBytes`; data: `maxBytes`, `size`;
 * - `changed`: the file was changed, moved or deleted on disk after it was chosen, or its drive is gone;
 *   choose it again. If it is the same file after all, it resumes;
 * - `unreadable`: the browser may not read the file (any more);
 * - `checksum`: the stored bytes differ from the file; `retry()` sends the whole file again;
 * - `refused`: the server refused the upload; `status` and `detail` come from the server;
 * - `server`: the server failed several times; `status` and `detail` come from the server;
 * - `network`: the server cannot be reached. Only `list` and `remove` fail so; uploads wait;
 * - `worker`: the checksum's script could not be loaded, neither in a worker nor in the page;
 * - `internal`: a bug in this library.
 *
 * @typedef {"type" | "size" | "changed" | "unreadable" | "checksum" | "refused" | "server" | "network" |
 *   "worker" | "internal"} ErrorCode
 */

/**
 * - `resumed`: the upload resumed at `offset` bytes;
 * - `expired`: the unfinished upload has expired; the upload starts again;
 * - `missing`: the server no longer has the unfinished upload; the upload starts again;
 * - `different-file`: the unfinished upload of this name is of a different file; the upload starts again;
 * - `elsewhere`: another tab has uploaded this file meanwhile;
 * - `same-file`: the file was in this uploader's list twice, and was uploaded once;
 * - `not-remembered`: the browser stores nothing (a private window, blocked or full storage), so files
 *   must be chosen again after a reload. Only the first upload says so.
 *
 * @typedef {"resumed" | "expired" | "missing" | "different-file" | "elsewhere" | "same-file" |
 *   "not-remembered"} NoticeCode
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
 * @property {string | null} md5 Once complete, if the server keeps it.
 * @property {string | null} [sha256] Likewise; left out by servers that do not keep it.
 * @property {1 | 2} status 1 while uploading, 2 when complete.
 * @property {string} created_on
 * @property {string | null} completed_on
 * @property {string | null} expires When an unfinished upload is deleted.
 * @property {Record<string, string>} metadata Left out of lists, unless asked for.
 * @property {string | null} url Download address of a completed file.
 */

/**
 * What `uploader.list` asks for.
 *
 * @typedef {object} ListQuery
 * @property {number} [page]
 * @property {number} [perPage] The server may send fewer; the reply says how many.
 * @property {1 | 2} [status] 1: only unfinished uploads; 2: only finished ones.
 * @property {boolean} [metadata] Also the records' metadata, which may be long.
 * @property {AbortSignal} [signal]
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
 * A file in this browser's resume store that is not uploaded yet. It is stored when the file is added,
 * before its first byte is sent.
 *
 * @typedef {object} Remembered
 * @property {string} id Key in the resume store.
 * @property {string} endpoint
 * @property {string | null} [user] Whose file it is; see `uploader.user`.
 * @property {string | null} uploadId The server's id; null until the server has an upload of it.
 * @property {string} name
 * @property {string} path Path below the chosen folder, ending with the name; empty for a file that was
 *   chosen by itself. Files with the same name and other paths are different files.
 * @property {number} size
 * @property {string} type
 * @property {number} lastModified
 * @property {string | null} fingerprint Null until samples of the file are read.
 * @property {number} offset Bytes that the server had confirmed; it may have more by now.
 * @property {string | null} expires By the server's clock; see `uploader.clockOffset`.
 * @property {number} updated As `Date.now()` counts.
 * @property {FileSystemFileHandle | null} handle Null where the browser lacks File System Access.
 * @property {Checkpoint | null} checkpoint
 * @property {UploadRecord | null} result Set for an hour when other tabs wait for the same file.
 */

/**
 * Digest of a file's first `length` bytes.
 *
 * @typedef {{length: number, md5?: string, sha256?: string}} Checkpoint
 */

/**
 * @typedef {object} AddOptions
 * @property {Record<string, string>} [metadata] Fields to store with this upload; they override the
 *   uploader's.
 * @property {FileSystemFileHandle | null} [handle] The file's handle, by which it can be opened again after
 *   a reload.
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
 * @property {number} sent The same, plus what has probably arrived since; for progress bars.
 * @property {number} size
 * @property {number} speed Bytes per second, smoothed; 0 while unknown.
 * @property {number | null} secondsLeft Null while unknown.
 */

/** @typedef {{uploads: number, done: number, failed: number} & Omit<Progress, "offset">} TotalProgress */

export {};
