// @ts-check
/**
 * The admin page's texts, beside those of the page for everybody (sign-in, buttons). They are in English alone:
 * whoever reads them also works with the commands, the settings and the log, which are, and the server's answers
 * that they stand beside are too.
 */

export default {
  adminHeading: "Uploads",
  adminSkip: "Skip to all uploads",
  adminRefused: "This page is for administrators. Sign in as one, then load the page again.",
  adminReload: "Refresh",
  adminLoading: "Loading…",
  adminProblem: "This could not be loaded: {detail}",
  adminNoAnswer: "the server does not answer",
  adminNone: "None",

  // Totals
  adminTotals: "Stored",
  adminByStatus: "By status",
  adminByStorage: "By storage",
  adminByOwner: "Largest owners",
  adminCount: { one: "{count} upload", other: "{count} uploads" },
  adminNoOwner: "no owner",
  adminNoStorage: "not recorded",
  adminHooksWaiting: {
    one: "on_completion has not returned for {count} upload.",
    other: "on_completion has not returned for {count} uploads.",
  },
  adminDisk: "{free} of {size} free in {place}",

  // Active now, failures
  adminActive: "Active now",
  adminActiveNone: "No upload got a chunk within the last minute.",
  adminFailures: "Failures of the last day",
  adminFailuresNone: "No request failed or met a limit, and no hook raised an error.",
  adminFailure: "What",
  adminFailureTime: "When",
  adminFailureDetail: "Detail",
  adminTimes: "{count} times",

  // The list
  adminAll: "All uploads",
  adminSearch: "Name or id",
  adminStatus: "Status",
  adminOwner: "Owner",
  adminSet: "Upload set",
  adminStorage: "Storage",
  adminOlder: "Older than (7d)",
  adminNewer: "Newer than (1h)",
  adminLarger: "At least (1G)",
  adminSmaller: "At most (10M)",
  adminSort: "Order",
  adminAny: "Any",
  adminShow: "Show",
  adminReset: "Clear filters",
  adminEmpty: "No upload fits these filters.",
  adminNext: "Next page",
  adminBack: "Previous page",
  adminSelect: "Select {name}",
  adminSelectAll: "Select all on this page",
  adminSelected: { one: "{count} selected", other: "{count} selected" },
  adminName: "File",
  adminSize: "Size",
  adminReceived: "{offset} of {length}",
  adminOfUnknown: "{offset} so far",
  adminCreated: "Created",
  adminExpires: "Expires",
  adminUploading: "uploading",
  adminComplete: "complete",
  adminExpired: "expired",
  adminHookWaiting: "complete, hook waits",
  adminNewest: "Newest first",
  adminOldest: "Oldest first",
  adminLargest: "Largest first",
  adminSmallest: "Smallest first",
  adminByName: "By name",
  adminByExpiry: "Unfinished, by expiry",

  // One upload, and what can be done
  adminClose: "Close",
  adminJournal: "What happened to it",
  adminDelete: "Delete",
  adminExpire: "Expire",
  adminExtend: "Extend",
  adminRunHook: "Run hook",
  adminVerify: "Verify",
  adminDeleteTitle: { one: "Delete {count} upload?", other: "Delete {count} uploads?" },
  adminDeleteBody: "The bytes and the records are removed from the server: {names}",
  adminKeep: "Keep",
  adminExtendTitle: {
    one: "How long shall {count} upload live?",
    other: "How long shall {count} uploads live?",
  },
  adminExtendBody:
    "From now on, as 12h or 7d. The next chunk sets the time again, as the settings say.",
  adminExtendSpan: "Time",
  adminVerifying: "{name}: {percent} read",
  adminVerified: "{name}: the file is as its record says ({checksums})",
  adminVerifiedSize: "{name}: the file has the size of its record, which has no checksum",
  adminDamaged: "{name}: {problem}",
  adminDone: "{name}: {said}",
};
