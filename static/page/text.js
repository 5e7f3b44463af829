// @ts-check
/**
 * Every word on the page, in English. To translate: copy `english`, translate the values, and hand the
 * result to the page (docs/page.md). What stands in braces is filled in; a text that depends on a count
 * has one form for each plural category of the language, as `Intl.PluralRules` names them. Numbers,
 * sizes, times and dates are written by the browser in the page's language (format.js).
 */

/** @typedef {string | Partial<Record<Intl.LDMLPluralRule, string>> & {other: string}} Message */
/** @typedef {keyof typeof english} MessageKey */

export const english = {
  skipToFiles: "Skip to my uploads",

  // Choosing files
  dropTitle: "Drop files or folders here",
  dropHint: "They go on where they stopped after a lost connection, a reload or a restart.",
  dropNow: "Let go to upload",
  chooseFiles: "Choose files",
  chooseFolder: "Choose a folder",
  limitSize: "Up to {size} per file.",
  limitTypes: "Only {types} files.",
  limitNotTypes: "No {types} files.",
  addedFiles: { one: "{count} file added", other: "{count} files added" },
  nothingInFolder: "There are no files in what was dropped.",

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
  retry: "Try {name} again",
  tryNow: "Try {name} now",
  cancel: "Cancel {name}",
  dismiss: "Remove {name} from the list",
  stateQueued: "Waiting for its turn",
  stateChecking: "Looking how far it had come",
  stateUploading: "{percent} of {size}",
  statePaused: "Paused at {percent} of {size}",
  stateCompleting: "Checking that every byte arrived",
  stateDone: "Done · {size}",
  stateCanceled: "Canceled",
  waitingNetwork: "Waiting for the network. It goes on by itself.",
  waitingServer: "The server does not answer. It is asked again {when}.",
  waitingServerSoon: "The server does not answer. It is being asked again.",
  waitingStorage: "The server's disk is full. What arrived is safe; it goes on when there is room.",
  waitingSignIn: "You are signed out. What arrived is safe; it goes on once you sign in.",
  waitingOtherTab: "This file is already being uploaded, above or in another tab.",

  // What an upload has to say beside its state
  noticeResumed: "Goes on from {size}, which were there already.",
  noticeExpired: "What had arrived before has expired, so it begins anew.",
  noticeMissing: "The server no longer has what had arrived before, so it begins anew.",
  noticeDifferent: "It is not the file that was begun under this name, so it begins anew.",
  noticeElsewhere: "Another tab has uploaded it in the meantime.",

  // Why an upload failed, and what to do
  errorType: "Files of this type are not accepted here. Nothing was sent.",
  errorSize: "Too large: {size}, and at most {limit} are accepted. Nothing was sent.",
  errorChanged:
    "The file was changed or moved while it was uploading. Choose it again to upload it as it is now.",
  errorUnreadable: "The browser may not read this file any more. Choose it again to go on.",
  errorChecksum:
    "What arrived is not what was sent: the MD5 checksums differ. Try again to send it anew; if it happens again, check the file and the disk.",
  errorRefused: "The server does not accept it: {detail}",
  errorServer:
    "The server has failed several times: {detail}. Try again later; what arrived is safe.",
  errorWorker:
    "The MD5 checksum cannot be computed in this browser. Reload the page and try again.",
  errorInternal:
    "Something went wrong in this page. Reload it and choose the file again; what arrived is safe.",

  // Files of before
  filesHeading: "My uploads",
  unfinishedHeading: "Unfinished",
  finishedHeading: "Finished",
  filesEmpty:
    "Nothing here yet. What you upload appears here, with its MD5 checksum and a download link.",
  filesAbove: "What is done stays here once you clear the list above.",
  filesLoading: "Looking up your uploads…",
  filesFailed: "Your uploads cannot be listed now: {detail}",
  unreachable: "the server cannot be reached",
  filesSignedOut: "Sign in to see your uploads.",
  tryAgain: "Try again",
  close: "Close this message",
  goOn: "Go on",
  goOnName: "Go on uploading {name}",
  pickAgain: "Pick the file",
  pickAgainName: "Pick the file {name} again to go on",
  unfinishedFigures: "{percent} of {size} arrived",
  unfinishedUnknown: "{size} arrived",
  expires: "expires {when}",
  expired: "expired, it would begin anew",
  otherFilePicked:
    "That is not {name}: its name or its size differ. Nothing was uploaded; pick the file that was begun.",
  handleGone: "The browser cannot open {name} by itself any more. Pick it again to go on.",
  finishedFigures: "{size} · {date}",
  md5: "MD5",
  copyMd5: "Copy the MD5 of {name}",
  copied: "Copied the MD5 of {name}",
  copyFailed: "The browser does not allow copying. The MD5 is {md5}",
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
  keep: "Keep it",
  keepAll: "Go on",
  cancelTitle: "Cancel {name}?",
  cancelBody: "{size} have arrived. They are removed from the server.",
  cancelAllTitle: { one: "Cancel {count} upload?", other: "Cancel {count} uploads?" },
  cancelAllBody: "What has arrived of them is removed from the server. Files that are done stay.",
  cancelConfirm: "Cancel upload",
  cancelAllConfirm: "Cancel uploads",
  deleteTitle: "Delete {name}?",
  deleteBody: "It is removed from the server for good.",
  deleteConfirm: "Delete",

  // Signing in
  signIn: "Sign in",
  signOut: "Sign out",
  signInTitle: "Sign in with your token",
  signInBody: "This server takes uploads from people it knows. Whoever runs it gives you a token.",
  signInKept: "The token is kept in this tab until you close it or sign out.",
  signInAgain:
    "The server no longer knows your token. Your files stay in the list and go on once you have signed in.",
  signInToken: "Token",
  signInUnknown: "The server does not know this token.",
  signInFailed: "The token cannot be checked now: {detail}",
  notNow: "Not now",
  signInApp: "You are signed out. Sign in in another tab, and come back: your uploads go on.",

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
