// @ts-check
/** The page's texts in Portuguese; en.js says what the braces and forms mean. */

export default {
  heading: "Enviar arquivos",
  skipToFiles: "Ir para meus arquivos",

  // Choosing files
  dropTitle: "Arraste ou cole aqui arquivos ou pastas",
  dropHint:
    "Depois de uma queda de conexão, de recarregar ou de reiniciar, o envio continua de onde parou.",
  dropNow: "Solte para enviar",
  chooseFiles: "Escolher arquivos",
  chooseFolder: "Escolher uma pasta",
  limitSize: "Até {size} por arquivo.",
  limitTypes: "Somente arquivos {types}.",
  limitNotTypes: "Arquivos {types} não são aceitos.",
  addedFiles: { one: "{count} arquivo adicionado", other: "{count} arquivos adicionados" },
  nothingInFolder: "Não há arquivos no que você soltou.",
  chooseTitle: "Escolha arquivos para enviar",
  takePhoto: "Tirar uma foto",
  quotaBytes: "Restam {left} de {max} para envios em andamento.",
  quotaFiles: {
    one: "Pode haver mais {count} envio em andamento.",
    other: "Pode haver mais {count} envios em andamento.",
  },
  usageBytes: "{used} de {max} armazenados",
  usageFiles: { one: "{used} de {count} arquivo", other: "{used} de {count} arquivos" },
  usageDay: "{used} de {max} hoje",
  overQuota:
    "{name} tem {size}, mas restam só {left} para seus envios. Nada foi enviado. Conclua ou exclua envios incompletos e escolha-o de novo.",
  overQuotaMany:
    "Restam só {left} para seus envios. {count} arquivos são maiores e não foram enviados: {names}. Conclua ou exclua envios incompletos e escolha-os de novo.",
  readingFolder: {
    one: "Lendo: {count} arquivo encontrado",
    other: "Lendo: {count} arquivos encontrados",
  },
  addingFiles: "Adicionando arquivos: {done} de {count}",
  junkLeftOut: {
    one: "{count} arquivo do sistema deixado de fora: {names}",
    other: "{count} arquivos do sistema deixados de fora: {names}",
  },
  emptyFolders: {
    one: "Não há arquivos na pasta {names}.",
    other: "Não há arquivos em {count} pastas: {names}",
  },

  // All uploads together
  sessionHeading: "Envios",
  summaryUploading: { one: "Enviando {count} arquivo", other: "Enviando {count} arquivos" },
  summaryPaused: { one: "{count} arquivo em pausa", other: "{count} arquivos em pausa" },
  summaryWaiting: { one: "{count} arquivo aguardando", other: "{count} arquivos aguardando" },
  summaryDone: { one: "{count} arquivo enviado", other: "{count} arquivos enviados" },
  summaryFailed: {
    one: "{count} arquivo não foi enviado",
    other: "{count} arquivos não foram enviados",
  },
  totalProgress: "Progresso de todos os envios",
  totalDone: "{done} de {all} concluídos",
  totalFailed: { one: "{count} com erro", other: "{count} com erro" },
  totalPaused: { one: "{count} em pausa", other: "{count} em pausa" },
  totalSize: "{sent} de {size}",
  speedAndTime: "{speed} · faltam {time}",
  pauseAll: "Pausar tudo",
  resumeAll: "Retomar tudo",
  retryAll: "Tentar tudo de novo",
  cancelAll: "Cancelar tudo",
  retryNow: "Tentar agora",
  clearFailed: "Remover os que falharam",
  titleProgress: "{percent} – {title}",

  // One upload
  uploadProgress: "Progresso de {name}",
  pause: "Pausar {name}",
  resume: "Retomar {name}",
  retry: "Tentar {name} de novo",
  tryNow: "Tentar {name} de novo agora",
  cancel: "Cancelar o envio de {name}",
  dismiss: "Remover {name} da lista",
  stateQueued: "Na fila",
  stateChecking: "Verificando o que já foi enviado",
  stateUploading: "{percent} de {size}",
  stateUploadingLarge: "{percent} · {sent} de {size}",
  statePaused: "Em pausa em {percent} de {size}",
  stateCompleting: "Verificando se tudo chegou",
  stateDone: "Concluído · {size}",
  stateCanceled: "Cancelado",
  waitingOffline: "Você está sem conexão. O envio será retomado quando ela voltar.",
  waitingUnreachable: "Não foi possível conectar ao servidor.",
  waitingServer: "O servidor está com um problema: {detail}.",
  waitingServerSilent: "O servidor está com um problema.",
  waitingStorage: "O disco do servidor está cheio. A parte enviada está segura.",
  waitingSignIn: "Sua sessão foi encerrada. A parte enviada está segura; entre para retomar.",
  waitingOtherTab: "Este arquivo já está sendo enviado em outra aba.",
  waitingSameFile: "Este arquivo já está na lista.",
  tryingAgain: "Nova tentativa {when}.",
  tryingNow: "Tentando de novo agora.",

  // Notices beside an upload's state
  noticeResumed: "Retomado a partir de {size}.",
  noticeExpired: "O envio anterior expirou, então este começa do início.",
  noticeMissing: "O servidor não tem mais o envio anterior, então este começa do início.",
  noticeDifferent: "O arquivo não é o mesmo do envio anterior, então este começa do início.",
  noticeElsewhere: "Outra aba já enviou este arquivo.",
  noticeSameFile: "Este arquivo está duas vezes na lista. Ele foi enviado uma vez.",
  noticeNotRemembered:
    "Este navegador não guarda dados deste site. Depois de recarregar, escolha os arquivos de novo para retomar.",

  // Why an upload failed, and what to do
  errorType: "Arquivos deste tipo não são aceitos. Nada foi enviado.",
  errorSize: "Grande demais: o arquivo tem {size}, o limite é {limit}. Nada foi enviado.",
  errorChanged:
    "O arquivo foi alterado ou movido durante o envio. Escolha-o de novo para enviar a versão atual.",
  errorUnreadable:
    "O navegador não consegue mais ler este arquivo. Escolha-o de novo para retomar.",
  errorChecksum:
    "Os dados enviados são diferentes do arquivo: as somas de verificação não conferem. Tente de novo para enviar o arquivo inteiro. Se voltar a acontecer, verifique o arquivo e o disco.",
  errorRefused: "O servidor recusou o envio: {detail}",
  errorServer:
    "O servidor falhou várias vezes: {detail}. Tente mais tarde; a parte enviada está segura.",
  errorWorker:
    "Este navegador não consegue calcular a soma de verificação. Recarregue a página e tente de novo.",
  errorInternal:
    "Algo deu errado nesta página. Recarregue-a e escolha o arquivo de novo; a parte enviada está segura.",

  // What the server answered (page/server-words.js)
  serverTooLarge: "O arquivo ultrapassa o limite de {size}",
  serverTooMany: {
    one: "Você já tem {count} envio incompleto, e não são permitidos mais. Conclua-o ou exclua-o",
    other:
      "Você já tem {count} envios incompletos, e não são permitidos mais. Conclua ou exclua um",
  },
  serverQuota: "Seus envios incompletos ocupariam mais de {size}. Conclua ou exclua um",
  serverStored: "Seus arquivos ocupariam mais de {size}; restam {left}. Exclua um arquivo antes",
  serverStoredFiles: {
    one: "Você já tem {count} arquivo, e não são permitidos mais. Exclua-o antes",
    other: "Você já tem {count} arquivos, e não são permitidos mais. Exclua um antes",
  },
  serverDay:
    "Seriam mais de {size} em um dia; para hoje restam {left}. O próximo dia começa em {until}",
  serverTooFast: "Solicitações demais ao mesmo tempo",
  serverType: "Arquivos do tipo {type} não são aceitos",
  serverOnlyTypes: "Arquivos do tipo {type} não são aceitos, somente: {types}",
  serverName: {
    one: "O nome do arquivo tem mais de {count} caractere",
    other: "O nome do arquivo tem mais de {count} caracteres",
  },
  serverNotFound: "O envio não foi encontrado",
  serverExpired: "O envio expirou",
  serverInUse: "O arquivo está em uso",
  serverBusy: "O envio está sendo alterado por outras solicitações",
  serverSignIn: "Você não entrou na sua conta",
  serverDatabase: "o banco de dados está indisponível",
  serverStorage: "o armazenamento não funciona",
  serverFull: "o disco está cheio",
  serverInternal: "erro interno",

  // Earlier uploads
  filesHeading: "Meus arquivos",
  groupUploading: "Enviando",
  groupNeeds: "Precisam de você",
  groupDone: "Concluídos",
  search: "Buscar por nome ou pasta",
  noMatch: "Nenhum nome de arquivo ou pasta corresponde.",
  order: "Ordem",
  orderNewest: "Mais recentes primeiro",
  orderName: "Por nome",
  orderLargest: "Maiores primeiro",
  choose: "Selecionar arquivos",
  chooseEnd: "Encerrar seleção",
  chooseAll: "Selecionar tudo",
  chooseOne: "Selecionar {name}",
  chosen: {
    one: "{count} arquivo selecionado, {size}",
    other: "{count} arquivos selecionados, {size}",
  },
  downloadChosen: "Baixar",
  deleteChosen: "Excluir",
  filesEmpty:
    "Nada aqui ainda. Os envios concluídos aparecem aqui, com a soma de verificação e um link para baixar.",
  filesLoading: "Carregando seus arquivos…",
  filesFailed: "Não é possível mostrar seus arquivos agora: {detail}",
  unreachable: "não foi possível conectar ao servidor",
  filesSignedOut: "Entre para ver seus arquivos.",
  tryAgain: "Tentar de novo",
  close: "Fechar esta mensagem",
  goOn: "Retomar",
  goOnName: "Retomar o envio de {name}",
  pickAgain: "Escolher o arquivo",
  pickAgainName: "Escolher o arquivo {name} de novo para retomar",
  unfinishedFigures: "{percent} de {size} enviados",
  unfinishedUnknown: "{size} enviados",
  unfinishedNotBegun: "Não iniciado · {size}",
  expires: "expira {when}",
  timeToFinish: "restam {time} para concluir",
  expired: "expirado; o envio começará do início",
  otherFilePicked:
    "Este não é {name}: o nome ou o tamanho é diferente. Nada foi enviado. Escolha o arquivo cujo envio você quer retomar.",
  handleGone:
    "O navegador não consegue mais abrir {name} sozinho. Escolha o arquivo de novo para retomar.",
  resumeAllUnfinished: "Retomar tudo: envios incompletos",
  chooseAgainTitle: {
    one: "Escolha {count} arquivo para retomar",
    other: "Escolha {count} arquivos para retomar",
  },
  chooseAgainBody:
    "Depois de recarregar, o navegador não pode abrir seus arquivos sozinho. Escolha-os de novo, ou a pasta em que estão. Eles continuam de onde pararam.",
  chooseAgainMore: { one: "e mais {count} arquivo", other: "e mais {count} arquivos" },
  notAmongThem: {
    one: "{name} não está entre os arquivos incompletos. Não foi enviado.",
    other: "{count} arquivos não estão entre os incompletos. Não foram enviados.",
  },
  finishedFigures: "{size} · {date}",
  md5: "MD5",
  sha256: "SHA-256",
  showChecksum: "{checksum} de {name}",
  copyChecksum: "Copiar o {checksum} de {name}",
  copied: "{checksum} de {name} copiado",
  copyFailed: "O navegador não permite copiar. O {checksum} é {value}",
  download: "Baixar {name}",
  downloading: "Baixando {name}",
  downloadFailed: "Não é possível baixar {name} agora: {detail}",
  delete: "Excluir {name}",
  deleted: { one: "{name} foi excluído", other: "{count} arquivos foram excluídos" },
  deleteFailed: {
    one: "Não é possível excluir {name} agora: {detail}",
    other: "Não é possível excluir {count} arquivos agora: {detail}",
  },

  // Questions
  keep: "Continuar enviando",
  keepAll: "Continuar enviando",
  keepFile: "Manter arquivo",
  keepFiles: "Manter arquivos",
  cancelTitle: "Cancelar o envio de {name}?",
  cancelBody: "Os {size} já enviados serão excluídos.",
  cancelAllTitle: { one: "Cancelar {count} envio?", other: "Cancelar {count} envios?" },
  cancelAllBody: "As partes já enviadas serão excluídas. Os arquivos concluídos ficam.",
  cancelConfirm: "Cancelar envio",
  cancelAllConfirm: "Cancelar envios",
  changedTitle: "{name} mudou",
  changedBody:
    "O arquivo tinha {before} quando o envio começou e agora tem {now}. O envio incompleto da versão antiga será excluído.",
  changedConfirm: "Enviar a nova versão",
  deleteTitle: "Excluir {name}?",
  deleteSeveralTitle: { one: "Excluir {count} arquivo?", other: "Excluir {count} arquivos?" },
  deleteSeveralBody:
    "Os arquivos serão excluídos do servidor e os envios em andamento serão cancelados. Isso não pode ser desfeito.",
  deleteBody: "O arquivo será excluído do servidor. Isso não pode ser desfeito.",
  deleteConfirm: "Excluir",

  // Files from other programs
  curlTitle: "Onde estão os arquivos enviados com curl?",
  curlWithToken: "Os arquivos que você envia com seu token aparecem nesta lista:",
  curlWithout:
    "Eles estão no servidor, mas não nesta lista: sem um token, o servidor não sabe que são seus. Peça ao administrador que configure tokens; os arquivos enviados com o seu aparecerão aqui. Para enviar um:",

  // Long uploads
  longOffer: "Isso vai demorar um pouco.",
  longSwitch: "Manter a tela ligada e me avisar no final",
  longNoNotification:
    "A tela continua ligada. Este navegador não permite notificações desta página.",

  // Links to finished files
  share: "Compartilhar {name}",
  shareTitle: "Compartilhar {name}",
  shareBody: "Qualquer pessoa com o link pode baixar o arquivo até o link expirar.",
  shareFor: "Um link novo vale por",
  shareCreate: "Criar link",
  shareClose: "Fechar",
  shareAddress: "Link para {name}",
  shareCopy: "Copiar link",
  sharePassOn: "Compartilhar o link com um aplicativo",
  shareRevoke: "Revogar link",
  shareMade: "O link está pronto para copiar.",
  shareCopied: "Link copiado.",
  shareCopyByHand:
    "O navegador não permite copiar. O link está selecionado: copie-o com o teclado.",
  shareRevoked: "Link revogado. Ele não funciona mais.",
  shareFailed: "Não funcionou: {detail}",

  // The page about a link that does not work
  linkInvalid: "Este link não é válido",
  linkInvalidHelp:
    "Talvez falte uma parte dele ou ele tenha sido alterado. Copie o link inteiro de novo.",
  linkExpired: "Este link expirou",
  linkExpiredHelp: "Ele funcionou até {until}. Peça um link novo.",
  linkGone: "Este link não funciona mais",
  linkGoneHelp: "Ele foi revogado ou o arquivo foi excluído. Peça um link novo.",

  // Signing in
  signIn: "Entrar",
  signOut: "Sair",
  signInTitle: "Entre com seu token",
  signInBody: "Você precisa de um token para enviar arquivos. Peça ao administrador.",
  signInKept: "O token fica nesta aba até você fechá-la ou sair.",
  signInKeep: "Continuar conectado neste navegador",
  signInKeptHere:
    "O token fica neste navegador, em todas as abas, até você sair. Não marque isto em um computador compartilhado.",
  signedInAs: "Conectado como {name}",
  signInAgain:
    "O servidor não aceita mais seu token. Seus arquivos continuam na lista e serão retomados quando você entrar.",
  signInToken: "Token",
  signInUnknown: "O servidor não aceita este token.",
  signInFailed: "Não é possível verificar o token agora: {detail}",
  notNow: "Agora não",
  signInApp: "Sua sessão foi encerrada. Entre em outra aba e volte: seus envios serão retomados.",

  // A zone in an app's own page (docs/templates.md)
  zoneMessage: "Arraste arquivos para cá ou clique para enviar.",
  zoneFallback: "Seu navegador não permite enviar arquivos arrastando.",
  zoneType: "Arquivos deste tipo não podem ser enviados.",
  zoneMaxFiles: "Não é possível enviar mais arquivos.",
  zoneServerError: "Erro do servidor: {{statusCode}}",
  zoneRemove: "Remover arquivo",
  zoneCancelQuestion: "Cancelar este envio?",
  zoneCanceled: "Envio cancelado",
  zoneReady: "Pronto para enviar · {size}",
  zoneRetryNow: "Tentar agora",
  zonePause: "Pausar",
  zoneEarlier: "{name} ({size}) não foi concluído. Escolha o arquivo de novo para retomar.",

  // Said to screen readers
  saidDone: { one: "{name} foi enviado", other: "{count} arquivos foram enviados" },
  saidFailed: {
    one: "{name} não foi enviado: {reason}",
    other: "{count} arquivos não foram enviados",
  },
  saidProgress: "{percent} enviado, faltam {time}",
  saidNetwork: "Sem conexão",
  saidNetworkBack: "A conexão voltou",
};
