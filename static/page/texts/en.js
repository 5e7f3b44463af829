// @ts-check
/**
 * Every text on the page, in English. The other languages lie beside this file, with the same keys; a test
 * says which of them lacks one (docs/page.md says how to add a language). Names in braces are replaced by
 * values. A text that depends on a count has one form for each plural category of the language, as
 * `Intl.PluralRules` names them. The browser formats numbers, sizes, times and dates (format.js).
 */

export default {
  heading: "Upload files",
  skipToFiles: "Skip to my uploads",

  // Choosing files
  dropTitle: "Drop files or folders here, or paste them",
  dropHint: "Uploads pick up where they left off after a lost connection, a reload or a restart.",
  dropNow: "Drop to upload",
  chooseFiles: "Choose files",
  chooseFolder: "Choose a folder",
  limitSize: "Up to {size} per file.",
  limitTypes: "Only {types} files.",
  limitNotTypes: "No {types} files.",
  addedFiles: { one: "{count} file added", other: "{count} files added" },
  nothingInFolder: "There are no files in what you dropped.",
  chooseTitle: "Choose files to upload",
  takePhoto: "Take a photo",
  quotaBytes: "{left} of {max} left for uploads in progress.",
  quotaFiles: {
    one: "You can start {count} more upload.",
    other: "You can start {count} more uploads.",
  },
  usageBytes: "{used} of {max} stored",
  usageFiles: { one: "{used} of {count} file", other: "{used} of {count} files" },
  usageDay: "{used} of {max} today",
  overQuota:
    "{name} is {size}, but you have only {left} left for uploads. Nothing was sent. Finish or delete unfinished uploads, then choose it again.",
  overQuotaMany:
    "You have only {left} left for uploads. {count} files are larger and were not sent: {names}. Finish or delete unfinished uploads, then choose them again.",
  readingFolder: { one: "Reading: {count} file found", other: "Reading: {count} files found" },
  addingFiles: "Adding files: {done} of {count}",
  junkLeftOut: {
    one: "Left out {count} system file: {names}",
    other: "Left out {count} system files: {names}",
  },
  emptyFolders: {
    one: "There are no files in the folder {names}.",
    other: "There are no files in {count} folders: {names}",
  },

  // All uploads together
  sessionHeading: "Uploads",
  summaryUploading: { one: "Uploading {count} file", other: "Uploading {count} files" },
  summaryPaused: { one: "{count} file paused", other: "{count} files paused" },
  summaryWaiting: { one: "{count} file is waiting", other: "{count} files are waiting" },
  summaryDone: { one: "{count} file uploaded", other: "{count} files uploaded" },
  summaryFailed: { one: "{count} file was not uploaded", other: "{count} files were not uploaded" },
  totalProgress: "Progress of all uploads",
  totalDone: "{done} of {all} done",
  totalFailed: { one: "{count} failed", other: "{count} failed" },
  totalPaused: { one: "{count} paused", other: "{count} paused" },
  totalSize: "{sent} of {size}",
  speedAndTime: "{speed} · {time} left",
  pauseAll: "Pause all",
  resumeAll: "Resume all",
  retryAll: "Retry all",
  cancelAll: "Cancel all",
  retryNow: "Retry now",
  clearFailed: "Clear failed files",
  titleProgress: "{percent} – {title}",

  // One upload
  uploadProgress: "Progress of {name}",
  pause: "Pause {name}",
  resume: "Resume {name}",
  retry: "Retry {name}",
  tryNow: "Retry {name} now",
  cancel: "Cancel {name}",
  dismiss: "Remove {name} from the list",
  stateQueued: "Queued",
  stateChecking: "Checking what's already uploaded",
  stateUploading: "{percent} of {size}",
  stateUploadingLarge: "{percent} · {sent} of {size}",
  statePaused: "Paused at {percent} of {size}",
  stateCompleting: "Checking that every byte arrived",
  stateDone: "Done · {size}",
  stateCanceled: "Canceled",
  waitingOffline: "You are offline. The upload will resume when the connection is back.",
  waitingUnreachable: "The server cannot be reached.",
  waitingServer: "The server has a problem: {detail}.",
  waitingServerSilent: "The server has a problem.",
  waitingStorage: "The server's disk is full. The uploaded part is safe.",
  waitingSignIn: "You are signed out. The uploaded part is safe; sign in to resume.",
  waitingOtherTab: "This file is already being uploaded in another tab.",
  waitingSameFile: "This file is already in the list.",
  tryingAgain: "Trying again {when}.",
  tryingNow: "Trying again now.",

  // Notices beside an upload's state
  noticeResumed: "Resumed at {size}.",
  noticeExpired: "The earlier upload has expired, so this one starts from the beginning.",
  noticeMissing:
    "The server no longer has the earlier upload, so this one starts from the beginning.",
  noticeDifferent:
    "The file is not the same as in the earlier upload, so this one starts from the beginning.",
  noticeElsewhere: "Another tab has already uploaded this file.",
  noticeSameFile: "This file is in the list twice. It was uploaded once.",
  noticeNotRemembered:
    "This browser does not save data for this site. After a reload, choose the files again to resume.",

  // Why an upload failed, and what to do
  errorType: "Files of this type are not accepted. Nothing was sent.",
  errorSize: "Too large: the file is {size}, the limit is {limit}. Nothing was sent.",
  errorChanged:
    "The file was changed or moved during the upload. Choose it again to upload the current version.",
  errorUnreadable: "The browser can no longer read this file. Choose it again to resume.",
  errorChecksum:
    "The uploaded bytes differ from the file: the checksums do not match. Retry to send the whole file. If it happens again, check the file and the disk.",
  errorRefused: "The server refused the upload: {detail}",
  errorServer:
    "The server has failed several times: {detail}. Try again later; the uploaded part is safe.",
  errorWorker: "The checksum cannot be computed in this browser. Reload the page and try again.",
  errorInternal:
    "Something went wrong on this page. Reload it and choose the file again; the uploaded part is safe.",

  // What the server answered (page/server-words.js)
  serverTooLarge: "Size of file exceeds the limit ({size})",
  serverTooMany: {
    one: "You have {count} unfinished upload, and no more are allowed. Complete or delete it first",
    other:
      "You have {count} unfinished uploads, and no more are allowed. Complete or delete one first",
  },
  serverQuota: "Your unfinished uploads would take more than {size}. Complete or delete one first",
  serverStored: "Your files would take more than {size}; you have {left} left. Delete a file first",
  serverStoredFiles: {
    one: "You have {count} file, and no more are allowed. Delete it first",
    other: "You have {count} files, and no more are allowed. Delete one first",
  },
  serverDay:
    "The limit is {size} a day, and you have {left} left today. The next day begins on {until}",
  serverTooFast: "Too many requests at once",
  serverType: "Files of type '{type}' are not accepted",
  serverOnlyTypes: "Files of type '{type}' are not accepted, only: {types}",
  serverName: {
    one: "The file name is longer than {count} character",
    other: "The file name is longer than {count} characters",
  },
  serverNotFound: "Upload not found",
  serverExpired: "Upload has expired",
  serverInUse: "The file is in use",
  serverBusy: "The upload is being changed by other requests",
  serverSignIn: "You are not signed in",
  serverDatabase: "its database is unavailable",
  serverStorage: "its storage does not work",
  serverFull: "its disk is full",
  serverInternal: "internal error",

  // Earlier uploads
  filesHeading: "My uploads",
  groupUploading: "Uploading",
  groupNeeds: "Needs you",
  groupDone: "Done",
  search: "Search by name or folder",
  noMatch: "No file or folder name matches.",
  order: "Order",
  orderNewest: "Newest first",
  orderName: "By name",
  orderLargest: "Largest first",
  choose: "Select files",
  chooseEnd: "Stop selecting",
  chooseAll: "Select all",
  chooseOne: "Select {name}",
  chosen: { one: "{count} file selected, {size}", other: "{count} files selected, {size}" },
  downloadChosen: "Download",
  deleteChosen: "Delete",
  filesEmpty:
    "Nothing here yet. Your finished uploads appear here, with their checksums and download links.",
  filesLoading: "Loading your uploads…",
  filesFailed: "Your uploads cannot be listed now: {detail}",
  unreachable: "the server cannot be reached",
  filesSignedOut: "Sign in to see your uploads.",
  tryAgain: "Try again",
  close: "Close this message",
  goOn: "Resume",
  goOnName: "Resume uploading {name}",
  pickAgain: "Choose the file",
  pickAgainName: "Choose the file {name} again to resume",
  unfinishedFigures: "{percent} of {size} uploaded",
  unfinishedUnknown: "{size} uploaded",
  unfinishedNotBegun: "Not started · {size}",
  expires: "expires {when}",
  timeToFinish: "{time} left to finish",
  expired: "expired; the upload will start from the beginning",
  otherFilePicked:
    "This is not {name}: its name or size is different. Nothing was uploaded. Choose the file whose upload you want to resume.",
  handleGone: "The browser can no longer open {name} by itself. Choose the file again to resume.",
  resumeAllUnfinished: "Resume all unfinished uploads",
  chooseAgainTitle: {
    one: "Choose {count} file to resume",
    other: "Choose {count} files to resume",
  },
  chooseAgainBody:
    "After a reload, the browser cannot open your files by itself. Choose them again, or the folder they are in. They resume where they stopped.",
  chooseAgainMore: { one: "and {count} more file", other: "and {count} more files" },
  notAmongThem: {
    one: "{name} is not among the unfinished files. It was not uploaded.",
    other: "{count} of the files are not among the unfinished ones. They were not uploaded.",
  },
  finishedFigures: "{size} · {date}",
  md5: "MD5",
  sha256: "SHA-256",
  showChecksum: "{checksum} of {name}",
  copyChecksum: "Copy the {checksum} of {name}",
  copied: "Copied the {checksum} of {name}",
  copyFailed: "The browser does not allow copying. The {checksum} is {value}",
  download: "Download {name}",
  downloading: "Downloading {name}",
  downloadFailed: "{name} cannot be downloaded now: {detail}",
  delete: "Delete {name}",
  deleted: { one: "{name} is deleted", other: "{count} files are deleted" },
  deleteFailed: {
    one: "{name} cannot be deleted now: {detail}",
    other: "{count} files cannot be deleted now: {detail}",
  },

  // Questions
  keep: "Keep uploading",
  keepAll: "Keep uploading",
  keepFile: "Keep file",
  keepFiles: "Keep files",
  cancelTitle: "Cancel {name}?",
  cancelBody: "The {size} already uploaded will be deleted.",
  cancelAllTitle: { one: "Cancel {count} upload?", other: "Cancel {count} uploads?" },
  cancelAllBody: "The parts already uploaded will be deleted. Finished files stay.",
  cancelConfirm: "Cancel upload",
  cancelAllConfirm: "Cancel uploads",
  changedTitle: "{name} has changed",
  changedBody:
    "It was {before} when the upload started, and is now {now}. The unfinished upload of the old version will be deleted.",
  changedConfirm: "Upload the new version",
  deleteTitle: "Delete {name}?",
  deleteSeveralTitle: { one: "Delete {count} file?", other: "Delete {count} files?" },
  deleteSeveralBody:
    "The files will be deleted from the server, and uploads in progress will be canceled. This cannot be undone.",
  deleteBody: "The file will be deleted from the server. This cannot be undone.",
  deleteConfirm: "Delete",

  // Files from other programs
  curlTitle: "Where are files sent with curl?",
  curlWithToken: "Files that you send with your token appear in this list:",
  curlWithout:
    "They are on the server, but not in this list: without a token the server cannot tell that they are yours. Ask the administrator to set up tokens. Files that you send with your token then appear here. To send a file:",

  // Long uploads
  longOffer: "This will take a while.",
  longSwitch: "Keep the screen on and notify me at the end",
  longNoNotification:
    "The screen stays on. This browser does not allow notifications from this page.",

  // Links to finished files
  share: "Share {name}",
  shareTitle: "Share {name}",
  shareBody: "Anyone with the link can download the file until the link expires.",
  shareFor: "A new link works for",
  shareCreate: "Create link",
  shareClose: "Close",
  shareAddress: "Link to {name}",
  shareCopy: "Copy link",
  sharePassOn: "Share link with an app",
  shareRevoke: "Revoke link",
  shareMade: "The link is ready to copy.",
  shareCopied: "Link copied.",
  shareCopyByHand:
    "The browser does not allow copying. The link is selected: copy it with the keyboard.",
  shareRevoked: "Link revoked. It no longer works.",
  shareFailed: "This did not work: {detail}",

  // The page about a link that does not work
  linkInvalid: "This link is not valid",
  linkInvalidHelp: "Part of it may be missing or changed. Copy the whole link again.",
  linkExpired: "This link has expired",
  linkExpiredHelp: "It worked until {until}. Ask for a new link.",
  linkGone: "This link no longer works",
  linkGoneHelp: "It was revoked, or the file was deleted. Ask for a new link.",

  // Signing in
  signIn: "Sign in",
  signOut: "Sign out",
  signInTitle: "Sign in with your token",
  signInBody: "You need a token to upload here. Ask the administrator.",
  signInKept: "The token is kept in this tab until you close it or sign out.",
  signInKeep: "Stay signed in on this browser",
  signInKeptHere:
    "The token is kept in this browser, for all tabs, until you sign out. Do not choose this on a shared computer.",
  signedInAs: "Signed in as {name}",
  signInAgain:
    "The server no longer accepts your token. Your files stay in the list and resume when you have signed in.",
  signInToken: "Token",
  signInUnknown: "The server does not accept this token.",
  signInFailed: "The token cannot be checked now: {detail}",
  notNow: "Not now",
  signInApp: "You are signed out. Sign in in another tab and come back: your uploads will resume.",

  // A zone in an app's own page (docs/templates.md)
  zoneMessage: "Drop files here or click to upload.",
  zoneFallback: "Your browser does not support drag'n'drop file uploads.",
  zoneType: "You can't upload files of this type.",
  zoneMaxFiles: "You can't upload any more files.",
  zoneServerError: "Server error: {{statusCode}}",
  zoneRemove: "Remove file",
  zoneCancelQuestion: "You really want to delete this file?",
  zoneCanceled: "Upload canceled",
  zoneReady: "Ready to upload · {size}",
  zoneRetryNow: "Retry now",
  zonePause: "Pause",
  zoneEarlier: "{name} ({size}) is not finished. Choose the file again to resume.",

  // Said to screen readers
  saidDone: { one: "{name} is uploaded", other: "{count} files are uploaded" },
  saidFailed: {
    one: "{name} was not uploaded: {reason}",
    other: "{count} files were not uploaded",
  },
  saidProgress: "{percent} uploaded, {time} left",
  saidNetwork: "You are offline",
  saidNetworkBack: "The connection is back",
};
