// @ts-check
/** The page's texts in French; en.js says what the braces and forms mean. */

export default {
  heading: "Envoyer des fichiers",
  skipToFiles: "Aller à mes fichiers",

  // Choosing files
  dropTitle: "Déposez ou collez ici des fichiers ou des dossiers",
  dropHint:
    "Après une coupure, un rechargement ou un redémarrage, l’envoi reprend là où il s’était arrêté.",
  dropNow: "Déposez pour envoyer",
  chooseFiles: "Choisir des fichiers",
  chooseFolder: "Choisir un dossier",
  limitSize: "Jusqu’à {size} par fichier.",
  limitTypes: "Fichiers {types} uniquement.",
  limitNotTypes: "Pas de fichiers {types}.",
  addedFiles: { one: "{count} fichier ajouté", other: "{count} fichiers ajoutés" },
  nothingInFolder: "Il n’y a aucun fichier dans ce que vous avez déposé.",
  chooseTitle: "Choisissez les fichiers à envoyer",
  takePhoto: "Prendre une photo",
  quotaBytes: "Il reste {left} sur {max} pour les envois en cours.",
  quotaFiles: {
    one: "{count} envoi de plus peut être en cours.",
    other: "{count} envois de plus peuvent être en cours.",
  },
  usageBytes: "{used} sur {max} stockés",
  usageFiles: { one: "{used} sur {count} fichier", other: "{used} sur {count} fichiers" },
  usageDay: "{used} sur {max} aujourd’hui",
  overQuota:
    "{name} fait {size}, mais il ne reste que {left} pour vos envois. Rien n’a été envoyé. Terminez ou supprimez des envois inachevés, puis choisissez-le à nouveau.",
  overQuotaMany:
    "Il ne reste que {left} pour vos envois. {count} fichiers sont plus volumineux et n’ont pas été envoyés : {names}. Terminez ou supprimez des envois inachevés, puis choisissez-les à nouveau.",
  readingFolder: {
    one: "Lecture : {count} fichier trouvé",
    other: "Lecture : {count} fichiers trouvés",
  },
  addingFiles: "Ajout des fichiers : {done} sur {count}",
  junkLeftOut: {
    one: "{count} fichier système laissé de côté : {names}",
    other: "{count} fichiers système laissés de côté : {names}",
  },
  emptyFolders: {
    one: "Le dossier {names} ne contient aucun fichier.",
    other: "{count} dossiers ne contiennent aucun fichier : {names}",
  },

  // All uploads together
  sessionHeading: "Envois",
  summaryUploading: { one: "Envoi de {count} fichier", other: "Envoi de {count} fichiers" },
  summaryPaused: { one: "{count} fichier en pause", other: "{count} fichiers en pause" },
  summaryWaiting: { one: "{count} fichier en attente", other: "{count} fichiers en attente" },
  summaryDone: { one: "{count} fichier envoyé", other: "{count} fichiers envoyés" },
  summaryFailed: {
    one: "{count} fichier n’a pas été envoyé",
    other: "{count} fichiers n’ont pas été envoyés",
  },
  totalProgress: "Progression de tous les envois",
  totalDone: "{done} sur {all} terminés",
  totalFailed: { one: "{count} échec", other: "{count} échecs" },
  totalPaused: { one: "{count} en pause", other: "{count} en pause" },
  totalSize: "{sent} sur {size}",
  speedAndTime: "{speed} · il reste {time}",
  pauseAll: "Tout mettre en pause",
  resumeAll: "Tout reprendre",
  retryAll: "Tout réessayer",
  cancelAll: "Tout annuler",
  retryNow: "Réessayer maintenant",
  clearFailed: "Retirer les échecs",
  titleProgress: "{percent} – {title}",

  // One upload
  uploadProgress: "Progression de {name}",
  pause: "Mettre {name} en pause",
  resume: "Reprendre l’envoi de {name}",
  retry: "Réessayer l’envoi de {name}",
  tryNow: "Réessayer maintenant l’envoi de {name}",
  cancel: "Annuler l’envoi de {name}",
  dismiss: "Retirer {name} de la liste",
  stateQueued: "En file d’attente",
  stateChecking: "Vérification de ce qui est déjà envoyé",
  stateUploading: "{percent} de {size}",
  stateUploadingLarge: "{percent} · {sent} sur {size}",
  statePaused: "En pause à {percent} de {size}",
  stateCompleting: "Vérification que tout est bien arrivé",
  stateDone: "Terminé · {size}",
  stateCanceled: "Annulé",
  waitingOffline: "Vous êtes hors ligne. L’envoi reprendra dès que la connexion sera rétablie.",
  waitingUnreachable: "Le serveur est injoignable.",
  waitingServer: "Le serveur a un problème : {detail}.",
  waitingServerSilent: "Le serveur a un problème.",
  waitingStorage: "Le disque du serveur est plein. La partie envoyée est conservée.",
  waitingSignIn:
    "Votre session a pris fin. La partie envoyée est conservée ; connectez-vous pour reprendre.",
  waitingOtherTab: "Ce fichier est déjà en cours d’envoi dans un autre onglet.",
  waitingSameFile: "Ce fichier est déjà dans la liste.",
  tryingAgain: "Nouvel essai {when}.",
  tryingNow: "Nouvel essai en cours.",

  // Notices beside an upload's state
  noticeResumed: "Repris à {size}.",
  noticeExpired: "L’envoi précédent a expiré : celui-ci recommence au début.",
  noticeMissing: "Le serveur n’a plus l’envoi précédent : celui-ci recommence au début.",
  noticeDifferent:
    "Le fichier n’est pas le même que lors de l’envoi précédent : celui-ci recommence au début.",
  noticeElsewhere: "Un autre onglet a déjà envoyé ce fichier.",
  noticeSameFile: "Ce fichier est deux fois dans la liste. Il a été envoyé une seule fois.",
  noticeNotRemembered:
    "Ce navigateur ne garde aucune donnée pour ce site. Après un rechargement, choisissez à nouveau les fichiers pour reprendre.",

  // Why an upload failed, and what to do
  errorType: "Les fichiers de ce type ne sont pas acceptés. Rien n’a été envoyé.",
  errorSize:
    "Trop volumineux : le fichier fait {size}, la limite est de {limit}. Rien n’a été envoyé.",
  errorChanged:
    "Le fichier a été modifié ou déplacé pendant l’envoi. Choisissez-le à nouveau pour envoyer la version actuelle.",
  errorUnreadable:
    "Le navigateur ne peut plus lire ce fichier. Choisissez-le à nouveau pour reprendre.",
  errorChecksum:
    "Les données envoyées diffèrent du fichier : les sommes de contrôle ne correspondent pas. Réessayez pour envoyer le fichier entier. Si cela se reproduit, vérifiez le fichier et le disque.",
  errorRefused: "Le serveur a refusé l’envoi : {detail}",
  errorServer:
    "Le serveur a rencontré plusieurs erreurs : {detail}. Réessayez plus tard ; la partie envoyée est conservée.",
  errorWorker:
    "La somme de contrôle ne peut pas être calculée dans ce navigateur. Rechargez la page et réessayez.",
  errorInternal:
    "Un problème est survenu sur cette page. Rechargez-la et choisissez à nouveau le fichier ; la partie envoyée est conservée.",

  // What the server answered (page/server-words.js)
  serverTooLarge: "Le fichier dépasse la limite de {size}",
  serverTooMany: {
    one: "Vous avez déjà {count} envoi inachevé, et vous ne pouvez pas en avoir plus. Terminez-le ou supprimez-le",
    other:
      "Vous avez déjà {count} envois inachevés, et vous ne pouvez pas en avoir plus. Terminez-en ou supprimez-en un",
  },
  serverQuota: "Vos envois inachevés prendraient plus de {size}. Terminez-en ou supprimez-en un",
  serverStored:
    "Vos fichiers prendraient plus de {size}, et il reste {left}. Supprimez d’abord un fichier",
  serverStoredFiles: {
    one: "Vous avez déjà {count} fichier, et vous ne pouvez pas en avoir plus. Supprimez-le d’abord",
    other:
      "Vous avez déjà {count} fichiers, et vous ne pouvez pas en avoir plus. Supprimez-en un d’abord",
  },
  serverDay:
    "Cela ferait plus de {size} en un jour, et il reste {left} pour aujourd’hui. Le jour suivant commence le {until}",
  serverTooFast: "Trop de requêtes à la fois",
  serverType: "Les fichiers de type {type} ne sont pas acceptés",
  serverOnlyTypes: "Les fichiers de type {type} ne sont pas acceptés, seulement : {types}",
  serverName: {
    one: "Le nom du fichier dépasse {count} caractère",
    other: "Le nom du fichier dépasse {count} caractères",
  },
  serverNotFound: "L’envoi est introuvable",
  serverExpired: "L’envoi a expiré",
  serverInUse: "Le fichier est utilisé",
  serverBusy: "L’envoi est en cours de modification par d’autres requêtes",
  serverSignIn: "Vous n’êtes pas connecté",
  serverDatabase: "sa base de données est indisponible",
  serverStorage: "son stockage ne fonctionne pas",
  serverFull: "son disque est plein",
  serverInternal: "erreur interne",

  // Earlier uploads
  filesHeading: "Mes fichiers",
  groupUploading: "En cours",
  groupNeeds: "À vous d’agir",
  groupDone: "Terminés",
  search: "Rechercher par nom ou dossier",
  noMatch: "Aucun fichier ne correspond à ce nom ou dossier.",
  order: "Tri",
  orderNewest: "Plus récents d’abord",
  orderName: "Par nom",
  orderLargest: "Plus gros d’abord",
  choose: "Sélectionner des fichiers",
  chooseEnd: "Terminer la sélection",
  chooseAll: "Tout sélectionner",
  chooseOne: "Sélectionner {name}",
  chosen: {
    one: "{count} fichier sélectionné, {size}",
    other: "{count} fichiers sélectionnés, {size}",
  },
  downloadChosen: "Télécharger",
  deleteChosen: "Supprimer",
  filesEmpty:
    "Rien ici pour l’instant. Les envois terminés apparaîtront ici, avec leur somme de contrôle et un lien de téléchargement.",
  filesLoading: "Chargement de vos fichiers…",
  filesFailed: "Impossible d’afficher vos fichiers pour le moment : {detail}",
  unreachable: "le serveur est injoignable",
  filesSignedOut: "Connectez-vous pour voir vos fichiers.",
  tryAgain: "Réessayer",
  close: "Fermer ce message",
  goOn: "Reprendre",
  goOnName: "Reprendre l’envoi de {name}",
  pickAgain: "Choisir le fichier",
  pickAgainName: "Choisir le fichier {name} à nouveau pour reprendre",
  unfinishedFigures: "{percent} de {size} envoyés",
  unfinishedUnknown: "{size} envoyés",
  unfinishedNotBegun: "Pas commencé · {size}",
  expires: "expire {when}",
  timeToFinish: "il reste {time} pour terminer",
  expired: "expiré ; l’envoi recommencera au début",
  otherFilePicked:
    "Ce n’est pas {name} : son nom ou sa taille est différent. Rien n’a été envoyé. Choisissez le fichier dont vous voulez reprendre l’envoi.",
  handleGone:
    "Le navigateur ne peut plus ouvrir {name} de lui-même. Choisissez à nouveau le fichier pour reprendre.",
  resumeAllUnfinished: "Tout reprendre : envois inachevés",
  chooseAgainTitle: {
    one: "Choisissez {count} fichier pour reprendre",
    other: "Choisissez {count} fichiers pour reprendre",
  },
  chooseAgainBody:
    "Après un rechargement, le navigateur ne peut pas ouvrir vos fichiers de lui-même. Choisissez-les à nouveau, ou leur dossier. Ils reprendront là où ils s’étaient arrêtés.",
  chooseAgainMore: { one: "et {count} autre fichier", other: "et {count} autres fichiers" },
  notAmongThem: {
    one: "{name} ne fait pas partie des fichiers inachevés. Il n’a pas été envoyé.",
    other: "{count} fichiers ne font pas partie des fichiers inachevés. Ils n’ont pas été envoyés.",
  },
  finishedFigures: "{size} · {date}",
  md5: "MD5",
  sha256: "SHA-256",
  showChecksum: "{checksum} de {name}",
  copyChecksum: "Copier le {checksum} de {name}",
  copied: "{checksum} de {name} copié",
  copyFailed: "Le navigateur ne permet pas de copier. Le {checksum} est {value}",
  download: "Télécharger {name}",
  downloading: "Téléchargement de {name}",
  downloadFailed: "{name} ne peut pas être téléchargé pour le moment : {detail}",
  delete: "Supprimer {name}",
  deleted: { one: "{name} a été supprimé", other: "{count} fichiers ont été supprimés" },
  deleteFailed: {
    one: "{name} ne peut pas être supprimé pour le moment : {detail}",
    other: "{count} fichiers ne peuvent pas être supprimés pour le moment : {detail}",
  },

  // Questions
  keep: "Continuer l’envoi",
  keepAll: "Continuer l’envoi",
  keepFile: "Conserver",
  keepFiles: "Conserver",
  cancelTitle: "Annuler l’envoi de {name} ?",
  cancelBody: "Les {size} déjà envoyés seront supprimés.",
  cancelAllTitle: { one: "Annuler {count} envoi ?", other: "Annuler {count} envois ?" },
  cancelAllBody: "Les parties déjà envoyées seront supprimées. Les fichiers terminés restent.",
  cancelConfirm: "Annuler l’envoi",
  cancelAllConfirm: "Annuler les envois",
  changedTitle: "{name} a changé",
  changedBody:
    "Le fichier faisait {before} au début de l’envoi et fait maintenant {now}. L’envoi inachevé de l’ancienne version sera supprimé.",
  changedConfirm: "Envoyer la nouvelle version",
  deleteTitle: "Supprimer {name} ?",
  deleteSeveralTitle: { one: "Supprimer {count} fichier ?", other: "Supprimer {count} fichiers ?" },
  deleteSeveralBody:
    "Les fichiers seront supprimés du serveur et les envois en cours annulés. Cette action est irréversible.",
  deleteBody: "Le fichier sera supprimé du serveur. Cette action est irréversible.",
  deleteConfirm: "Supprimer",

  // Files from other programs
  curlTitle: "Où sont les fichiers envoyés avec curl ?",
  curlWithToken: "Les fichiers envoyés avec votre jeton apparaissent dans cette liste :",
  curlWithout:
    "Ils sont sur le serveur, mais pas dans cette liste : sans jeton, le serveur ne sait pas qu’ils sont à vous. Demandez à l’administrateur de créer des jetons ; les fichiers envoyés avec le vôtre apparaîtront ici. Pour en envoyer un :",

  // Long uploads
  longOffer: "Cela va prendre un moment.",
  longSwitch: "Garder l’écran allumé et me prévenir à la fin",
  longNoNotification:
    "L’écran reste allumé. Ce navigateur n’autorise pas les notifications de cette page.",

  // Links to finished files
  share: "Partager {name}",
  shareTitle: "Partager {name}",
  shareBody:
    "Toute personne disposant du lien peut télécharger le fichier jusqu’à l’expiration du lien.",
  shareFor: "Un nouveau lien est valable",
  shareCreate: "Créer un lien",
  shareClose: "Fermer",
  shareAddress: "Lien vers {name}",
  shareCopy: "Copier le lien",
  sharePassOn: "Partager le lien avec une application",
  shareRevoke: "Révoquer le lien",
  shareMade: "Le lien est prêt à être copié.",
  shareCopied: "Lien copié.",
  shareCopyByHand:
    "Le navigateur ne permet pas de copier. Le lien est sélectionné : copiez-le au clavier.",
  shareRevoked: "Lien révoqué. Il ne fonctionne plus.",
  shareFailed: "Cela n’a pas fonctionné : {detail}",

  // The page about a link that does not work
  linkInvalid: "Ce lien n’est pas valide",
  linkInvalidHelp:
    "Il en manque peut-être une partie, ou il a été modifié. Copiez à nouveau le lien entier.",
  linkExpired: "Ce lien a expiré",
  linkExpiredHelp: "Il était valable jusqu’au {until}. Demandez un nouveau lien.",
  linkGone: "Ce lien ne fonctionne plus",
  linkGoneHelp: "Il a été révoqué, ou le fichier a été supprimé. Demandez un nouveau lien.",

  // Signing in
  signIn: "Se connecter",
  signOut: "Se déconnecter",
  signInTitle: "Se connecter avec un jeton",
  signInBody: "Il vous faut un jeton pour envoyer des fichiers. Demandez-le à l’administrateur.",
  signInKept: "Le jeton est conservé dans cet onglet jusqu’à sa fermeture ou votre déconnexion.",
  signInKeep: "Rester connecté sur ce navigateur",
  signInKeptHere:
    "Le jeton est conservé dans ce navigateur, pour tous ses onglets, jusqu’à votre déconnexion. Ne cochez pas ceci sur un ordinateur partagé.",
  signedInAs: "Connecté : {name}",
  signInAgain:
    "Le serveur n’accepte plus votre jeton. Vos fichiers restent dans la liste et reprendront une fois que vous serez connecté.",
  signInToken: "Jeton",
  signInUnknown: "Le serveur n’accepte pas ce jeton.",
  signInFailed: "Le jeton ne peut pas être vérifié pour le moment : {detail}",
  notNow: "Pas maintenant",
  signInApp:
    "Votre session a pris fin. Connectez-vous dans un autre onglet et revenez : vos envois reprendront.",

  // A zone in an app's own page (docs/templates.md)
  zoneMessage: "Déposez des fichiers ici ou cliquez pour les envoyer.",
  zoneFallback: "Votre navigateur ne permet pas l’envoi par glisser-déposer.",
  zoneType: "Les fichiers de ce type ne peuvent pas être envoyés.",
  zoneMaxFiles: "Vous ne pouvez pas envoyer plus de fichiers.",
  zoneServerError: "Erreur du serveur : {{statusCode}}",
  zoneRemove: "Retirer le fichier",
  zoneCancelQuestion: "Annuler cet envoi ?",
  zoneCanceled: "Envoi annulé",
  zoneReady: "Prêt à envoyer · {size}",
  zoneRetryNow: "Réessayer maintenant",
  zonePause: "Mettre en pause",
  zoneEarlier: "{name} ({size}) n’est pas terminé. Choisissez à nouveau le fichier pour reprendre.",

  // Said to screen readers
  saidDone: { one: "{name} est envoyé", other: "{count} fichiers sont envoyés" },
  saidFailed: {
    one: "{name} n’a pas été envoyé : {reason}",
    other: "{count} fichiers n’ont pas été envoyés",
  },
  saidProgress: "{percent} envoyés, il reste {time}",
  saidNetwork: "Pas de connexion réseau",
  saidNetworkBack: "La connexion réseau est rétablie",
};
