// @ts-check
/**
 * Every text on the page, in English. To translate: copy `english`, translate the values, and pass the
 * result to the page (docs/page.md). Names in braces are replaced by values. A text that depends on a count
 * has one form for each plural category of the language, as `Intl.PluralRules` names them. The browser
 * formats numbers, sizes, times and dates in the page's language (format.js).
 */

/** @typedef {string | Partial<Record<Intl.LDMLPluralRule, string>> & {other: string}} Message */
/** @typedef {keyof typeof english} MessageKey */

export const english = {
  skipToFiles: "Skip to my uploads",

  // Choosing files
  dropTitle: "Drop files or folders here",
  dropHint: "Uploads pick up where they left off after a lost connection, a reload or a restart.",
  dropNow: "Drop to upload",
  chooseFiles: "Choose files",
  chooseFolder: "Choose a folder",
  limitSize: "Up to {size} per file.",
  limitTypes: "Only {types} files.",
  limitNotTypes: "No {types} files.",
  addedFiles: { one: "{count} file added", other: "{count} files added" },
  nothingInFolder: "There are no files in what you dropped.",

  // All uploads together
  sessionHeading: "Uploads",
  summaryUploading: { one: "Uploading {count} file", other: "Uploading {count} files" },
  summaryPaused: { one: "{count} file paused", other: "{count} files paused" },
  summaryWaiting: { one: "{count} file is waiting", other: "{count} files are waiting" },
  summaryDone: { one: "{count} file uploaded", other: "{count} files uploaded" },
  summaryFailed: { one: "{count} file was not uploaded", other: "{count} files were not uploaded" },
  totalProgress: "Progress of all uploads",
  totalFigures: "{done} of {all} done · {sent} of {size}",
  speedAndTime: "{speed} · {time} left",
  pauseAll: "Pause all",
  resumeAll: "Resume all",
  retryAll: "Retry all",
  cancelAll: "Cancel all",
  clearAll: "Clear the list",
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
  statePaused: "Paused at {percent} of {size}",
  stateCompleting: "Checking that every byte arrived",
  stateDone: "Done · {size}",
  stateCanceled: "Canceled",
  waitingNetwork: "Waiting for the network. The upload will resume by itself.",
  waitingServer: "The server is not responding. Trying again {when}.",
  waitingServerSoon: "The server is not responding. Trying again now.",
  waitingStorage:
    "The server's disk is full. The uploaded part is safe; the upload will resume when there is space.",
  waitingSignIn: "You are signed out. The uploaded part is safe; sign in to resume.",
  waitingOtherTab: "This file is already being uploaded, above or in another tab.",

  // Notices beside an upload's state
  noticeResumed: "Resumed at {size}.",
  noticeExpired: "The earlier upload has expired, so this one starts from the beginning.",
  noticeMissing:
    "The server no longer has the earlier upload, so this one starts from the beginning.",
  noticeDifferent:
    "The earlier upload with this name was of a different file, so this one starts from the beginning.",
  noticeElsewhere: "Another tab has already uploaded this file.",

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

  // Earlier uploads
  filesHeading: "My uploads",
  unfinishedHeading: "Unfinished",
  finishedHeading: "Finished",
  filesEmpty:
    "Nothing here yet. Your finished uploads appear here, with their checksums and download links.",
  filesAbove: "Finished files move here when you clear the list above.",
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
  expires: "expires {when}",
  expired: "expired; the upload will start from the beginning",
  otherFilePicked:
    "This is not {name}: its name or size is different. Nothing was uploaded. Choose the file whose upload you want to resume.",
  handleGone: "The browser can no longer open {name} by itself. Choose the file again to resume.",
  finishedFigures: "{size} · {date}",
  md5: "MD5",
  sha256: "SHA-256",
  copyChecksum: "Copy the {checksum} of {name}",
  copied: "Copied the {checksum} of {name}",
  copyFailed: "The browser does not allow copying. The {checksum} is {value}",
  download: "Download {name}",
  downloading: "Downloading {name}",
  downloadFailed: "{name} cannot be downloaded now: {detail}",
  delete: "Delete {name}",
  deleted: "{name} is deleted",
  deleteFailed: "{name} cannot be deleted now: {detail}",
  pager: "Pages of finished uploads",
  pageOf: "Page {page} of {pages}",
  newer: "Newer",
  older: "Older",

  // Questions
  keep: "Keep uploading",
  keepAll: "Keep uploading",
  keepFile: "Keep file",
  cancelTitle: "Cancel {name}?",
  cancelBody: "The {size} already uploaded will be deleted.",
  cancelAllTitle: { one: "Cancel {count} upload?", other: "Cancel {count} uploads?" },
  cancelAllBody: "The parts already uploaded will be deleted. Finished files stay.",
  cancelConfirm: "Cancel upload",
  cancelAllConfirm: "Cancel uploads",
  deleteTitle: "Delete {name}?",
  deleteBody: "The file will be deleted from the server. This cannot be undone.",
  deleteConfirm: "Delete",

  // Signing in
  signIn: "Sign in",
  signOut: "Sign out",
  signInTitle: "Sign in with your token",
  signInBody: "You need a token to upload here. Ask the administrator.",
  signInKept: "The token is kept in this tab until you close it or sign out.",
  signInAgain:
    "The server no longer accepts your token. Your files stay in the list and resume when you have signed in.",
  signInToken: "Token",
  signInUnknown: "The server does not accept this token.",
  signInFailed: "The token cannot be checked now: {detail}",
  notNow: "Not now",
  signInApp: "You are signed out. Sign in in another tab and come back: your uploads will resume.",

  // Said to screen readers
  saidDone: { one: "{name} is uploaded", other: "{count} files are uploaded" },
  saidFailed: {
    one: "{name} was not uploaded: {reason}",
    other: "{count} files were not uploaded",
  },
  saidProgress: "{percent} uploaded, {time} left",
  saidNetwork: "Waiting for the network",
  saidNetworkBack: "The network is back",
};
