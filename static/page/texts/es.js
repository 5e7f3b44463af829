// @ts-check
/** The page's texts in Spanish; en.js says what the braces and forms mean. */

export default {
  heading: "Subir archivos",
  skipToFiles: "Ir a mis archivos",

  // Choosing files
  dropTitle: "Arrastra o pega aquí archivos o carpetas",
  dropHint: "Tras un corte, una recarga o un reinicio, la subida continúa donde se quedó.",
  dropNow: "Suelta para subir",
  chooseFiles: "Elegir archivos",
  chooseFolder: "Elegir una carpeta",
  limitSize: "Hasta {size} por archivo.",
  limitTypes: "Solo archivos {types}.",
  limitNotTypes: "No se admiten archivos {types}.",
  addedFiles: { one: "{count} archivo añadido", other: "{count} archivos añadidos" },
  nothingInFolder: "No hay archivos en lo que has soltado.",
  chooseTitle: "Elige los archivos que quieres subir",
  takePhoto: "Hacer una foto",
  quotaBytes: "Quedan {left} de {max} para subidas en curso.",
  quotaFiles: {
    one: "Puede haber {count} subida más en curso.",
    other: "Puede haber {count} subidas más en curso.",
  },
  usageBytes: "{used} de {max} guardados",
  usageFiles: { one: "{used} de {count} archivo", other: "{used} de {count} archivos" },
  usageDay: "{used} de {max} hoy",
  overQuota:
    "{name} ocupa {size}, pero solo quedan {left} para tus subidas. No se ha enviado nada. Termina o elimina subidas sin terminar y elígelo de nuevo.",
  overQuotaMany:
    "Solo quedan {left} para tus subidas. {count} archivos son más grandes y no se han enviado: {names}. Termina o elimina subidas sin terminar y elígelos de nuevo.",
  readingFolder: {
    one: "Leyendo: {count} archivo encontrado",
    other: "Leyendo: {count} archivos encontrados",
  },
  addingFiles: "Añadiendo archivos: {done} de {count}",
  junkLeftOut: {
    one: "{count} archivo del sistema omitido: {names}",
    other: "{count} archivos del sistema omitidos: {names}",
  },
  emptyFolders: {
    one: "No hay archivos en la carpeta {names}.",
    other: "No hay archivos en {count} carpetas: {names}",
  },

  // All uploads together
  sessionHeading: "Subidas",
  summaryUploading: { one: "Subiendo {count} archivo", other: "Subiendo {count} archivos" },
  summaryPaused: { one: "{count} archivo en pausa", other: "{count} archivos en pausa" },
  summaryWaiting: { one: "{count} archivo en espera", other: "{count} archivos en espera" },
  summaryDone: { one: "{count} archivo subido", other: "{count} archivos subidos" },
  summaryFailed: {
    one: "{count} archivo no se ha subido",
    other: "{count} archivos no se han subido",
  },
  totalProgress: "Progreso de todas las subidas",
  totalDone: "{done} de {all} terminados",
  totalFailed: { one: "{count} con error", other: "{count} con error" },
  totalPaused: { one: "{count} en pausa", other: "{count} en pausa" },
  totalSize: "{sent} de {size}",
  speedAndTime: "{speed} · faltan {time}",
  pauseAll: "Pausar todo",
  resumeAll: "Reanudar todo",
  retryAll: "Reintentar todo",
  cancelAll: "Cancelar todo",
  retryNow: "Reintentar ahora",
  clearFailed: "Quitar los fallidos",
  titleProgress: "{percent} – {title}",

  // One upload
  uploadProgress: "Progreso de {name}",
  pause: "Pausar {name}",
  resume: "Reanudar {name}",
  retry: "Reintentar {name}",
  tryNow: "Reintentar {name} ahora",
  cancel: "Cancelar la subida de {name}",
  dismiss: "Quitar {name} de la lista",
  stateQueued: "En cola",
  stateChecking: "Comprobando lo que ya está subido",
  stateUploading: "{percent} de {size}",
  stateUploadingLarge: "{percent} · {sent} de {size}",
  statePaused: "En pausa al {percent} de {size}",
  stateCompleting: "Comprobando que todo ha llegado",
  stateDone: "Terminado · {size}",
  stateCanceled: "Cancelado",
  waitingOffline: "No tienes conexión. La subida se reanudará cuando vuelva.",
  waitingUnreachable: "No se puede conectar con el servidor.",
  waitingServer: "El servidor tiene un problema: {detail}.",
  waitingServerSilent: "El servidor tiene un problema.",
  waitingStorage: "El disco del servidor está lleno. La parte subida está a salvo.",
  waitingSignIn:
    "Se ha cerrado tu sesión. La parte subida está a salvo; inicia sesión para reanudar.",
  waitingOtherTab: "Este archivo ya se está subiendo en otra pestaña.",
  waitingSameFile: "Este archivo ya está en la lista.",
  tryingAgain: "Nuevo intento {when}.",
  tryingNow: "Reintentando ahora.",

  // Notices beside an upload's state
  noticeResumed: "Reanudado a partir de {size}.",
  noticeExpired: "La subida anterior ha caducado, así que esta empieza desde el principio.",
  noticeMissing:
    "El servidor ya no tiene la subida anterior, así que esta empieza desde el principio.",
  noticeDifferent:
    "El archivo no es el mismo que el de la subida anterior, así que esta empieza desde el principio.",
  noticeElsewhere: "Otra pestaña ya ha subido este archivo.",
  noticeSameFile: "Este archivo está dos veces en la lista. Se ha subido una sola vez.",
  noticeNotRemembered:
    "Este navegador no guarda datos de este sitio. Tras una recarga, elige los archivos de nuevo para reanudar.",

  // Why an upload failed, and what to do
  errorType: "No se aceptan archivos de este tipo. No se ha enviado nada.",
  errorSize:
    "Demasiado grande: el archivo ocupa {size} y el límite es {limit}. No se ha enviado nada.",
  errorChanged:
    "El archivo se ha modificado o movido durante la subida. Elígelo de nuevo para subir la versión actual.",
  errorUnreadable: "El navegador ya no puede leer este archivo. Elígelo de nuevo para reanudar.",
  errorChecksum:
    "Los datos subidos no son iguales al archivo: las sumas de verificación no coinciden. Reintenta para enviar el archivo entero. Si vuelve a ocurrir, revisa el archivo y el disco.",
  errorRefused: "El servidor ha rechazado la subida: {detail}",
  errorServer:
    "El servidor ha fallado varias veces: {detail}. Inténtalo más tarde; la parte subida está a salvo.",
  errorWorker:
    "Este navegador no puede calcular la suma de verificación. Recarga la página e inténtalo de nuevo.",
  errorInternal:
    "Algo ha fallado en esta página. Recárgala y elige el archivo de nuevo; la parte subida está a salvo.",

  // What the server answered (page/server-words.js)
  serverTooLarge: "El archivo supera el límite de {size}",
  serverTooMany: {
    one: "Ya tienes {count} subida sin terminar y no se permiten más. Termínala o elimínala",
    other: "Ya tienes {count} subidas sin terminar y no se permiten más. Termina o elimina una",
  },
  serverQuota: "Tus subidas sin terminar ocuparían más de {size}. Termina o elimina una",
  serverStored: "Tus archivos ocuparían más de {size}; quedan {left}. Elimina antes un archivo",
  serverStoredFiles: {
    one: "Ya tienes {count} archivo y no se permiten más. Elimínalo antes",
    other: "Ya tienes {count} archivos y no se permiten más. Elimina uno antes",
  },
  serverDay:
    "Serían más de {size} en un día; para hoy quedan {left}. El día siguiente empieza el {until}",
  serverTooFast: "Demasiadas solicitudes a la vez",
  serverType: "No se aceptan archivos de tipo {type}",
  serverOnlyTypes: "No se aceptan archivos de tipo {type}, solo: {types}",
  serverName: {
    one: "El nombre del archivo supera {count} carácter",
    other: "El nombre del archivo supera {count} caracteres",
  },
  serverNotFound: "No se encuentra la subida",
  serverExpired: "La subida ha caducado",
  serverInUse: "El archivo está en uso",
  serverBusy: "Otras solicitudes están cambiando la subida",
  serverSignIn: "No has iniciado sesión",
  serverDatabase: "su base de datos no está disponible",
  serverStorage: "su almacenamiento no funciona",
  serverFull: "su disco está lleno",
  serverInternal: "error interno",

  // Earlier uploads
  filesHeading: "Mis archivos",
  groupUploading: "Subiendo",
  groupNeeds: "Necesitan tu atención",
  groupDone: "Terminados",
  search: "Buscar por nombre o carpeta",
  noMatch: "Ningún nombre de archivo o carpeta coincide.",
  order: "Orden",
  orderNewest: "Más recientes primero",
  orderName: "Por nombre",
  orderLargest: "Más grandes primero",
  choose: "Seleccionar archivos",
  chooseEnd: "Dejar de seleccionar",
  chooseAll: "Seleccionar todo",
  chooseOne: "Seleccionar {name}",
  chosen: {
    one: "{count} archivo seleccionado, {size}",
    other: "{count} archivos seleccionados, {size}",
  },
  downloadChosen: "Descargar",
  deleteChosen: "Eliminar",
  filesEmpty:
    "Aún no hay nada. Las subidas terminadas aparecerán aquí, con su suma de verificación y un enlace de descarga.",
  filesLoading: "Cargando tus archivos…",
  filesFailed: "No se pueden mostrar tus archivos ahora: {detail}",
  unreachable: "no se puede conectar con el servidor",
  filesSignedOut: "Inicia sesión para ver tus archivos.",
  tryAgain: "Reintentar",
  close: "Cerrar este mensaje",
  goOn: "Reanudar",
  goOnName: "Reanudar la subida de {name}",
  pickAgain: "Elegir el archivo",
  pickAgainName: "Elegir el archivo {name} de nuevo para reanudar",
  unfinishedFigures: "{percent} de {size} subidos",
  unfinishedUnknown: "{size} subidos",
  unfinishedNotBegun: "Sin empezar · {size}",
  expires: "caduca {when}",
  timeToFinish: "quedan {time} para terminar",
  expired: "caducada; la subida empezará desde el principio",
  otherFilePicked:
    "Este no es {name}: el nombre o el tamaño son distintos. No se ha subido nada. Elige el archivo cuya subida quieres reanudar.",
  handleGone:
    "El navegador ya no puede abrir {name} por sí solo. Elige el archivo de nuevo para reanudar.",
  resumeAllUnfinished: "Reanudar todo: subidas sin terminar",
  chooseAgainTitle: {
    one: "Elige {count} archivo para reanudar",
    other: "Elige {count} archivos para reanudar",
  },
  chooseAgainBody:
    "Tras una recarga, el navegador no puede abrir tus archivos por sí solo. Elígelos de nuevo, o su carpeta. Continuarán donde se quedaron.",
  chooseAgainMore: { one: "y {count} archivo más", other: "y {count} archivos más" },
  notAmongThem: {
    one: "{name} no está entre los archivos sin terminar. No se ha subido.",
    other: "{count} archivos no están entre los que faltan por terminar. No se han subido.",
  },
  finishedFigures: "{size} · {date}",
  md5: "MD5",
  sha256: "SHA-256",
  showChecksum: "{checksum} de {name}",
  copyChecksum: "Copiar el {checksum} de {name}",
  copied: "{checksum} de {name} copiado",
  copyFailed: "El navegador no permite copiar. El {checksum} es {value}",
  download: "Descargar {name}",
  downloading: "Descargando {name}",
  downloadFailed: "No se puede descargar {name} ahora: {detail}",
  delete: "Eliminar {name}",
  deleted: { one: "{name} se ha eliminado", other: "{count} archivos se han eliminado" },
  deleteFailed: {
    one: "No se puede eliminar {name} ahora: {detail}",
    other: "No se pueden eliminar {count} archivos ahora: {detail}",
  },

  // Questions
  keep: "Seguir subiendo",
  keepAll: "Seguir subiendo",
  keepFile: "Conservar",
  keepFiles: "Conservar",
  cancelTitle: "¿Cancelar la subida de {name}?",
  cancelBody: "Se eliminarán los {size} ya subidos.",
  cancelAllTitle: { one: "¿Cancelar {count} subida?", other: "¿Cancelar {count} subidas?" },
  cancelAllBody: "Se eliminarán las partes ya subidas. Los archivos terminados se conservan.",
  cancelConfirm: "Cancelar subida",
  cancelAllConfirm: "Cancelar subidas",
  changedTitle: "{name} ha cambiado",
  changedBody:
    "Ocupaba {before} cuando empezó la subida y ahora ocupa {now}. La subida sin terminar de la versión anterior se eliminará.",
  changedConfirm: "Subir la versión nueva",
  deleteTitle: "¿Eliminar {name}?",
  deleteSeveralTitle: { one: "¿Eliminar {count} archivo?", other: "¿Eliminar {count} archivos?" },
  deleteSeveralBody:
    "Los archivos se eliminarán del servidor y las subidas en curso se cancelarán. Esta acción no se puede deshacer.",
  deleteBody: "El archivo se eliminará del servidor. Esta acción no se puede deshacer.",
  deleteConfirm: "Eliminar",

  // Files from other programs
  curlTitle: "¿Dónde están los archivos enviados con curl?",
  curlWithToken: "Los archivos que envías con tu token aparecen en esta lista:",
  curlWithout:
    "Están en el servidor, pero no en esta lista: sin un token, el servidor no sabe que son tuyos. Pide al administrador que configure tokens; los archivos enviados con el tuyo aparecerán aquí. Para enviar uno:",

  // Long uploads
  longOffer: "Esto llevará un rato.",
  longSwitch: "Mantener la pantalla encendida y avisarme al final",
  longNoNotification:
    "La pantalla sigue encendida. Este navegador no permite notificaciones de esta página.",

  // Links to finished files
  share: "Compartir {name}",
  shareTitle: "Compartir {name}",
  shareBody:
    "Cualquiera que tenga el enlace puede descargar el archivo hasta que el enlace caduque.",
  shareFor: "Un enlace nuevo sirve durante",
  shareCreate: "Crear enlace",
  shareClose: "Cerrar",
  shareAddress: "Enlace a {name}",
  shareCopy: "Copiar enlace",
  sharePassOn: "Compartir el enlace con una aplicación",
  shareRevoke: "Revocar enlace",
  shareMade: "El enlace está listo para copiar.",
  shareCopied: "Enlace copiado.",
  shareCopyByHand:
    "El navegador no permite copiar. El enlace está seleccionado: cópialo con el teclado.",
  shareRevoked: "Enlace revocado. Ya no funciona.",
  shareFailed: "No ha funcionado: {detail}",

  // The page about a link that does not work
  linkInvalid: "Este enlace no es válido",
  linkInvalidHelp:
    "Puede que falte una parte o que haya cambiado. Copia de nuevo el enlace completo.",
  linkExpired: "Este enlace ha caducado",
  linkExpiredHelp: "Sirvió hasta {until}. Pide un enlace nuevo.",
  linkGone: "Este enlace ya no funciona",
  linkGoneHelp: "Se ha revocado, o el archivo se ha eliminado. Pide un enlace nuevo.",

  // Signing in
  signIn: "Iniciar sesión",
  signOut: "Cerrar sesión",
  signInTitle: "Inicia sesión con tu token",
  signInBody: "Necesitas un token para subir archivos. Pídeselo al administrador.",
  signInKept: "El token se guarda en esta pestaña hasta que la cierres o cierres la sesión.",
  signInKeep: "Mantener la sesión iniciada en este navegador",
  signInKeptHere:
    "El token se guarda en este navegador, para todas sus pestañas, hasta que cierres la sesión. No lo elijas en un ordenador compartido.",
  signedInAs: "Sesión iniciada como {name}",
  signInAgain:
    "El servidor ya no acepta tu token. Tus archivos siguen en la lista y se reanudarán cuando inicies sesión.",
  signInToken: "Token",
  signInUnknown: "El servidor no acepta este token.",
  signInFailed: "No se puede comprobar el token ahora: {detail}",
  notNow: "Ahora no",
  signInApp:
    "Se ha cerrado tu sesión. Inicia sesión en otra pestaña y vuelve: tus subidas se reanudarán.",

  // A zone in an app's own page (docs/templates.md)
  zoneMessage: "Arrastra archivos aquí o haz clic para subirlos.",
  zoneFallback: "Tu navegador no permite subir archivos arrastrándolos.",
  zoneType: "No se pueden subir archivos de este tipo.",
  zoneMaxFiles: "No se pueden subir más archivos.",
  zoneServerError: "Error del servidor: {{statusCode}}",
  zoneRemove: "Quitar archivo",
  zoneCancelQuestion: "¿Cancelar esta subida?",
  zoneCanceled: "Subida cancelada",
  zoneReady: "Listo para subir · {size}",
  zoneRetryNow: "Reintentar ahora",
  zonePause: "Pausar",
  zoneEarlier: "{name} ({size}) no está terminado. Elige el archivo de nuevo para reanudar.",

  // Said to screen readers
  saidDone: { one: "{name} se ha subido", other: "{count} archivos se han subido" },
  saidFailed: {
    one: "{name} no se ha subido: {reason}",
    other: "{count} archivos no se han subido",
  },
  saidProgress: "{percent} subido, faltan {time}",
  saidNetwork: "Sin conexión",
  saidNetworkBack: "Ha vuelto la conexión",
};
