// @ts-check
/** The page's texts in German; en.js says what the braces and forms mean. */

export default {
  heading: "Dateien hochladen",
  skipToFiles: "Zu meinen Uploads springen",

  // Choosing files
  dropTitle: "Dateien oder Ordner hierher ziehen oder einfügen",
  dropHint:
    "Nach einer Unterbrechung, einem Neuladen oder einem Neustart geht der Upload dort weiter, wo er aufgehört hat.",
  dropNow: "Zum Hochladen loslassen",
  chooseFiles: "Dateien auswählen",
  chooseFolder: "Ordner auswählen",
  limitSize: "Bis zu {size} pro Datei.",
  limitTypes: "Nur {types}-Dateien.",
  limitNotTypes: "Keine {types}-Dateien.",
  addedFiles: { one: "{count} Datei hinzugefügt", other: "{count} Dateien hinzugefügt" },
  nothingInFolder: "Was Sie hierher gezogen haben, enthält keine Dateien.",
  chooseTitle: "Dateien zum Hochladen auswählen",
  takePhoto: "Foto aufnehmen",
  quotaBytes: "Noch {left} von {max} frei für laufende Uploads.",
  quotaFiles: {
    one: "Noch {count} weiterer Upload gleichzeitig möglich.",
    other: "Noch {count} weitere Uploads gleichzeitig möglich.",
  },
  usageBytes: "{used} von {max} belegt",
  usageFiles: { one: "{used} von {count} Datei", other: "{used} von {count} Dateien" },
  usageDay: "heute {used} von {max}",
  overQuota:
    "{name} ist {size} groß, für Ihre Uploads sind aber nur noch {left} frei. Es wurde nichts gesendet. Beenden oder löschen Sie unvollständige Uploads und wählen Sie die Datei dann erneut aus.",
  overQuotaMany:
    "Für Ihre Uploads sind nur noch {left} frei. {count} Dateien sind größer und wurden nicht gesendet: {names}. Beenden oder löschen Sie unvollständige Uploads und wählen Sie die Dateien dann erneut aus.",
  readingFolder: {
    one: "Ordner wird gelesen: {count} Datei gefunden",
    other: "Ordner wird gelesen: {count} Dateien gefunden",
  },
  addingFiles: "Dateien werden hinzugefügt: {done} von {count}",
  junkLeftOut: {
    one: "{count} Systemdatei ausgelassen: {names}",
    other: "{count} Systemdateien ausgelassen: {names}",
  },
  emptyFolders: {
    one: "Im Ordner {names} sind keine Dateien.",
    other: "In {count} Ordnern sind keine Dateien: {names}",
  },

  // All uploads together
  sessionHeading: "Uploads",
  summaryUploading: {
    one: "{count} Datei wird hochgeladen",
    other: "{count} Dateien werden hochgeladen",
  },
  summaryPaused: { one: "{count} Datei angehalten", other: "{count} Dateien angehalten" },
  summaryWaiting: { one: "{count} Datei wartet", other: "{count} Dateien warten" },
  summaryDone: { one: "{count} Datei hochgeladen", other: "{count} Dateien hochgeladen" },
  summaryFailed: {
    one: "{count} Datei wurde nicht hochgeladen",
    other: "{count} Dateien wurden nicht hochgeladen",
  },
  totalProgress: "Fortschritt aller Uploads",
  totalDone: "{done} von {all} fertig",
  totalFailed: { one: "{count} fehlgeschlagen", other: "{count} fehlgeschlagen" },
  totalPaused: { one: "{count} angehalten", other: "{count} angehalten" },
  totalSize: "{sent} von {size}",
  speedAndTime: "{speed} · noch {time}",
  pauseAll: "Alle anhalten",
  resumeAll: "Alle fortsetzen",
  retryAll: "Alle erneut versuchen",
  cancelAll: "Alle abbrechen",
  retryNow: "Jetzt erneut versuchen",
  clearFailed: "Fehlgeschlagene entfernen",
  titleProgress: "{percent} – {title}",

  // One upload
  uploadProgress: "Fortschritt von {name}",
  pause: "{name} anhalten",
  resume: "{name} fortsetzen",
  retry: "{name} erneut versuchen",
  tryNow: "{name} jetzt erneut versuchen",
  cancel: "{name} abbrechen",
  dismiss: "{name} aus der Liste entfernen",
  stateQueued: "In der Warteschlange",
  stateChecking: "Es wird geprüft, was schon hochgeladen ist",
  stateUploading: "{percent} von {size}",
  stateUploadingLarge: "{percent} · {sent} von {size}",
  statePaused: "Angehalten bei {percent} von {size}",
  stateCompleting: "Es wird geprüft, ob jedes Byte angekommen ist",
  stateDone: "Fertig · {size}",
  stateCanceled: "Abgebrochen",
  waitingOffline:
    "Sie sind offline. Der Upload wird fortgesetzt, sobald die Verbindung wieder da ist.",
  waitingUnreachable: "Der Server ist nicht erreichbar.",
  waitingServer: "Auf dem Server ist ein Fehler aufgetreten: {detail}.",
  waitingServerSilent: "Auf dem Server ist ein Fehler aufgetreten.",
  waitingStorage: "Der Speicher des Servers ist voll. Der hochgeladene Teil ist sicher.",
  waitingSignIn:
    "Sie sind abgemeldet. Der hochgeladene Teil ist sicher; melden Sie sich an, um fortzufahren.",
  waitingOtherTab: "Diese Datei wird bereits in einem anderen Tab hochgeladen.",
  waitingSameFile: "Diese Datei ist schon in der Liste.",
  tryingAgain: "Neuer Versuch {when}.",
  tryingNow: "Es wird jetzt erneut versucht.",

  // Notices beside an upload's state
  noticeResumed: "Fortgesetzt bei {size}.",
  noticeExpired: "Der frühere Upload ist abgelaufen, daher beginnt dieser von vorn.",
  noticeMissing: "Der Server hat den früheren Upload nicht mehr, daher beginnt dieser von vorn.",
  noticeDifferent:
    "Die Datei ist nicht dieselbe wie beim früheren Upload, daher beginnt dieser von vorn.",
  noticeElsewhere: "Ein anderer Tab hat diese Datei bereits hochgeladen.",
  noticeSameFile: "Diese Datei ist zweimal in der Liste. Sie wurde einmal hochgeladen.",
  noticeNotRemembered:
    "Dieser Browser speichert hier keine Daten. Wählen Sie die Dateien nach einem Neuladen erneut aus, um fortzufahren.",

  // Why an upload failed, and what to do
  errorType: "Dateien dieses Typs werden nicht angenommen. Es wurde nichts gesendet.",
  errorSize: "Zu groß: Die Datei ist {size} groß, erlaubt sind {limit}. Es wurde nichts gesendet.",
  errorChanged:
    "Die Datei wurde während des Uploads geändert oder verschoben. Wählen Sie sie erneut aus, um die aktuelle Version hochzuladen.",
  errorUnreadable:
    "Der Browser kann diese Datei nicht mehr lesen. Wählen Sie sie erneut aus, um fortzufahren.",
  errorChecksum:
    "Die hochgeladenen Bytes weichen von der Datei ab: Die Prüfsummen stimmen nicht überein. Ein neuer Versuch sendet die ganze Datei. Wenn es wieder passiert, prüfen Sie die Datei und den Datenträger.",
  errorRefused: "Der Server hat den Upload abgelehnt: {detail}",
  errorServer:
    "Auf dem Server ist mehrmals ein Fehler aufgetreten: {detail}. Versuchen Sie es später erneut; der hochgeladene Teil ist sicher.",
  errorWorker:
    "Die Prüfsumme kann in diesem Browser nicht berechnet werden. Laden Sie die Seite neu und versuchen Sie es erneut.",
  errorInternal:
    "Auf dieser Seite ist ein Fehler aufgetreten. Laden Sie sie neu und wählen Sie die Datei erneut aus; der hochgeladene Teil ist sicher.",

  // What the server answered (page/server-words.js)
  serverTooLarge: "Die Datei überschreitet die Grenze von {size}",
  serverTooMany: {
    one: "Es gibt schon {count} unvollständigen Upload, mehr sind nicht erlaubt. Schließen Sie ihn ab oder löschen Sie ihn",
    other:
      "Es gibt schon {count} unvollständige Uploads, mehr sind nicht erlaubt. Schließen Sie einen ab oder löschen Sie einen",
  },
  serverQuota:
    "Ihre unvollständigen Uploads würden mehr als {size} belegen. Schließen Sie einen ab oder löschen Sie einen",
  serverStored:
    "Ihre Dateien würden mehr als {size} belegen; frei sind noch {left}. Löschen Sie zuerst eine Datei",
  serverStoredFiles: {
    one: "Sie haben schon {count} Datei, mehr sind nicht erlaubt. Löschen Sie sie zuerst",
    other: "Sie haben schon {count} Dateien, mehr sind nicht erlaubt. Löschen Sie zuerst eine",
  },
  serverDay:
    "Das wären mehr als {size} an einem Tag; für heute sind noch {left} übrig. Der nächste Tag beginnt am {until}",
  serverTooFast: "Zu viele Anfragen auf einmal",
  serverType: "Dateien vom Typ {type} werden nicht angenommen",
  serverOnlyTypes: "Dateien vom Typ {type} werden nicht angenommen, nur: {types}",
  serverName: {
    one: "Der Dateiname ist länger als {count} Zeichen",
    other: "Der Dateiname ist länger als {count} Zeichen",
  },
  serverNotFound: "Der Upload wurde nicht gefunden",
  serverExpired: "Der Upload ist abgelaufen",
  serverInUse: "Die Datei wird verwendet",
  serverBusy: "Der Upload wird gerade von anderen Anfragen geändert",
  serverSignIn: "Sie sind nicht angemeldet",
  serverDatabase: "die Datenbank ist nicht erreichbar",
  serverStorage: "der Speicher funktioniert nicht",
  serverFull: "der Speicherplatz ist voll",
  serverInternal: "interner Fehler",

  // Earlier uploads
  filesHeading: "Meine Uploads",
  groupUploading: "Wird hochgeladen",
  groupNeeds: "Sie sind gefragt",
  groupDone: "Fertig",
  search: "Nach Name oder Ordner suchen",
  noMatch: "Keine Datei und kein Ordner mit diesem Namen gefunden.",
  order: "Sortierung",
  orderNewest: "Neueste zuerst",
  orderName: "Nach Name",
  orderLargest: "Größte zuerst",
  choose: "Mehrere auswählen",
  chooseEnd: "Auswahl beenden",
  chooseAll: "Alle auswählen",
  chooseOne: "{name} auswählen",
  chosen: { one: "{count} Datei ausgewählt, {size}", other: "{count} Dateien ausgewählt, {size}" },
  downloadChosen: "Herunterladen",
  deleteChosen: "Löschen",
  filesEmpty:
    "Hier ist noch nichts. Fertige Uploads erscheinen hier, mit Prüfsumme und Download-Link.",
  filesLoading: "Ihre Uploads werden geladen …",
  filesFailed: "Ihre Uploads können gerade nicht angezeigt werden: {detail}",
  unreachable: "Der Server ist nicht erreichbar",
  filesSignedOut: "Melden Sie sich an, um Ihre Uploads zu sehen.",
  tryAgain: "Erneut versuchen",
  close: "Meldung schließen",
  goOn: "Fortsetzen",
  goOnName: "Upload von {name} fortsetzen",
  pickAgain: "Datei auswählen",
  pickAgainName: "Datei auswählen: {name}, um fortzufahren",
  unfinishedFigures: "{percent} von {size} hochgeladen",
  unfinishedUnknown: "{size} hochgeladen",
  unfinishedNotBegun: "Nicht begonnen · {size}",
  expires: "läuft {when} ab",
  timeToFinish: "noch {time} Zeit",
  expired: "abgelaufen; der Upload beginnt von vorn",
  otherFilePicked:
    "Das ist nicht {name}: Name oder Größe sind anders. Es wurde nichts hochgeladen. Wählen Sie die Datei aus, deren Upload Sie fortsetzen möchten.",
  handleGone:
    "Der Browser kann {name} nicht mehr selbst öffnen. Wählen Sie die Datei erneut aus, um fortzufahren.",
  resumeAllUnfinished: "Alle fortsetzen: unvollständige Uploads",
  chooseAgainTitle: {
    one: "{count} Datei auswählen, um fortzufahren",
    other: "{count} Dateien auswählen, um fortzufahren",
  },
  chooseAgainBody:
    "Nach einem Neuladen darf der Browser Ihre Dateien nicht selbst öffnen. Wählen Sie sie oder ihren Ordner erneut aus. Die Uploads gehen dort weiter, wo sie aufgehört haben.",
  chooseAgainMore: { one: "und {count} weitere Datei", other: "und {count} weitere Dateien" },
  notAmongThem: {
    one: "{name} gehört nicht zu den unvollständigen Dateien und wurde nicht hochgeladen.",
    other: "{count} Dateien gehören nicht zu den unvollständigen und wurden nicht hochgeladen.",
  },
  finishedFigures: "{size} · {date}",
  md5: "MD5",
  sha256: "SHA-256",
  showChecksum: "{checksum} von {name}",
  copyChecksum: "{checksum} von {name} kopieren",
  copied: "{checksum} von {name} kopiert",
  copyFailed: "Der Browser erlaubt das Kopieren nicht. {checksum}: {value}",
  download: "{name} herunterladen",
  downloading: "{name} wird heruntergeladen",
  downloadFailed: "{name} kann gerade nicht heruntergeladen werden: {detail}",
  delete: "{name} löschen",
  deleted: { one: "{name} wurde gelöscht", other: "{count} Dateien wurden gelöscht" },
  deleteFailed: {
    one: "{name} kann gerade nicht gelöscht werden: {detail}",
    other: "{count} Dateien können gerade nicht gelöscht werden: {detail}",
  },

  // Questions
  keep: "Weiter hochladen",
  keepAll: "Weiter hochladen",
  keepFile: "Datei behalten",
  keepFiles: "Dateien behalten",
  cancelTitle: "{name} abbrechen?",
  cancelBody: "Die bereits hochgeladenen {size} werden gelöscht.",
  cancelAllTitle: { one: "{count} Upload abbrechen?", other: "{count} Uploads abbrechen?" },
  cancelAllBody:
    "Die bereits hochgeladenen Teile werden gelöscht. Fertige Dateien bleiben erhalten.",
  cancelConfirm: "Upload abbrechen",
  cancelAllConfirm: "Uploads abbrechen",
  changedTitle: "{name} hat sich geändert",
  changedBody:
    "Beim Beginn des Uploads war die Datei {before} groß, jetzt sind es {now}. Der unvollständige Upload der alten Version wird gelöscht.",
  changedConfirm: "Neue Version hochladen",
  deleteTitle: "{name} löschen?",
  deleteSeveralTitle: { one: "{count} Datei löschen?", other: "{count} Dateien löschen?" },
  deleteSeveralBody:
    "Die Dateien werden vom Server gelöscht, laufende Uploads werden abgebrochen. Das kann nicht rückgängig gemacht werden.",
  deleteBody: "Die Datei wird vom Server gelöscht. Das kann nicht rückgängig gemacht werden.",
  deleteConfirm: "Löschen",

  // Files from other programs
  curlTitle: "Wo sind Dateien, die mit curl gesendet wurden?",
  curlWithToken: "Dateien, die Sie mit Ihrem Token senden, erscheinen in dieser Liste:",
  curlWithout:
    "Sie sind auf dem Server, aber nicht in dieser Liste: Ohne Token weiß der Server nicht, dass sie Ihnen gehören. Bitten Sie den Administrator, Tokens einzurichten; dann erscheinen Dateien, die Sie mit Ihrem senden, hier. So senden Sie eine:",

  // Long uploads
  longOffer: "Das dauert eine Weile.",
  longSwitch: "Bildschirm anlassen und am Ende benachrichtigen",
  longNoNotification:
    "Der Bildschirm bleibt an. Dieser Browser erlaubt keine Benachrichtigungen von dieser Seite.",

  // Links to finished files
  share: "{name} teilen",
  shareTitle: "{name} teilen",
  shareBody: "Jeder mit dem Link kann die Datei herunterladen, bis der Link abläuft.",
  shareFor: "Ein neuer Link gilt",
  shareCreate: "Link erstellen",
  shareClose: "Schließen",
  shareAddress: "Link zu {name}",
  shareCopy: "Link kopieren",
  sharePassOn: "Link mit einer App teilen",
  shareRevoke: "Link widerrufen",
  shareMade: "Der Link kann kopiert werden.",
  shareCopied: "Link kopiert.",
  shareCopyByHand:
    "Der Browser erlaubt das Kopieren nicht. Der Link ist markiert: Kopieren Sie ihn mit der Tastatur.",
  shareRevoked: "Link widerrufen. Er funktioniert nicht mehr.",
  shareFailed: "Das hat nicht geklappt: {detail}",

  // The page about a link that does not work
  linkInvalid: "Dieser Link ist ungültig",
  linkInvalidHelp:
    "Vielleicht fehlt ein Teil davon oder er wurde verändert. Kopieren Sie den ganzen Link noch einmal.",
  linkExpired: "Dieser Link ist abgelaufen",
  linkExpiredHelp: "Er galt bis {until}. Bitten Sie um einen neuen Link.",
  linkGone: "Dieser Link funktioniert nicht mehr",
  linkGoneHelp:
    "Er wurde widerrufen, oder die Datei wurde gelöscht. Bitten Sie um einen neuen Link.",

  // Signing in
  signIn: "Anmelden",
  signOut: "Abmelden",
  signInTitle: "Mit Token anmelden",
  signInBody: "Zum Hochladen brauchen Sie ein Token. Fragen Sie den Administrator.",
  signInKept: "Das Token bleibt in diesem Tab, bis Sie ihn schließen oder sich abmelden.",
  signInKeep: "In diesem Browser angemeldet bleiben",
  signInKeptHere:
    "Das Token bleibt in diesem Browser, für alle Tabs, bis Sie sich abmelden. Wählen Sie das nicht auf einem gemeinsam genutzten Computer.",
  signedInAs: "Angemeldet als {name}",
  signInAgain:
    "Der Server akzeptiert Ihr Token nicht mehr. Ihre Dateien bleiben in der Liste und werden nach der Anmeldung fortgesetzt.",
  signInToken: "Token",
  signInUnknown: "Der Server akzeptiert dieses Token nicht.",
  signInFailed: "Das Token kann gerade nicht geprüft werden: {detail}",
  notNow: "Nicht jetzt",
  signInApp:
    "Sie sind abgemeldet. Melden Sie sich in einem anderen Tab an und kommen Sie zurück: Ihre Uploads werden fortgesetzt.",

  // A zone in an app's own page (docs/templates.md)
  zoneMessage: "Dateien hierher ziehen oder zum Hochladen klicken.",
  zoneFallback: "Ihr Browser unterstützt kein Hochladen per Drag-and-drop.",
  zoneType: "Dateien dieses Typs können nicht hochgeladen werden.",
  zoneMaxFiles: "Es können keine weiteren Dateien hochgeladen werden.",
  zoneServerError: "Serverfehler: {{statusCode}}",
  zoneRemove: "Datei entfernen",
  zoneCancelQuestion: "Diesen Upload abbrechen?",
  zoneCanceled: "Upload abgebrochen",
  zoneReady: "Bereit zum Hochladen · {size}",
  zoneRetryNow: "Jetzt erneut versuchen",
  zonePause: "Anhalten",
  zoneEarlier:
    "{name} ({size}) ist noch nicht fertig. Wählen Sie die Datei erneut aus, um fortzufahren.",

  // Said to screen readers
  saidDone: { one: "{name} ist hochgeladen", other: "{count} Dateien sind hochgeladen" },
  saidFailed: {
    one: "{name} wurde nicht hochgeladen: {reason}",
    other: "{count} Dateien wurden nicht hochgeladen",
  },
  saidProgress: "{percent} hochgeladen, noch {time}",
  saidNetwork: "Keine Netzwerkverbindung",
  saidNetworkBack: "Die Netzwerkverbindung ist wieder da",
};
