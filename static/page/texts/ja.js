// @ts-check
/** The page's texts in Japanese; en.js says what the braces and forms mean. */

export default {
  heading: "ファイルのアップロード",
  skipToFiles: "アップロードしたファイルへ移動",

  // Choosing files
  dropTitle: "ここにファイルやフォルダーをドロップまたは貼り付け",
  dropHint: "接続の切断、再読み込み、再起動のあとも、中断したところから再開します。",
  dropNow: "ドロップしてアップロード",
  chooseFiles: "ファイルを選択",
  chooseFolder: "フォルダーを選択",
  limitSize: "1 ファイル {size} まで。",
  limitTypes: "{types} ファイルのみ。",
  limitNotTypes: "{types} ファイルは不可。",
  addedFiles: { other: "{count} 個のファイルを追加しました" },
  nothingInFolder: "ドロップされた項目にファイルがありません。",
  chooseTitle: "アップロードするファイルを選択",
  takePhoto: "写真を撮る",
  quotaBytes: "進行中のアップロードに使える残り: {max} 中 {left}。",
  quotaFiles: { other: "あと {count} 件のアップロードを同時に行えます。" },
  usageBytes: "保存済み: {max} 中 {used}",
  usageFiles: { other: "ファイル: {count} 個中 {used} 個" },
  usageDay: "今日: {max} 中 {used}",
  overQuota:
    "{name} は {size} ですが、アップロードに使える残りは {left} だけです。何も送信されていません。未完了のアップロードを完了または削除してから、もう一度選択してください。",
  overQuotaMany:
    "アップロードに使える残りは {left} だけです。これより大きい {count} 個のファイルは送信されていません: {names}。未完了のアップロードを完了または削除してから、もう一度選択してください。",
  readingFolder: { other: "読み取り中: {count} 個のファイルが見つかりました" },
  addingFiles: "ファイルを追加中: {done} / {count}",
  junkLeftOut: { other: "{count} 個のシステム ファイルを除外しました: {names}" },
  emptyFolders: { other: "{count} 個のフォルダーにファイルがありません: {names}" },

  // All uploads together
  sessionHeading: "アップロード",
  summaryUploading: { other: "{count} 個のファイルをアップロード中" },
  summaryPaused: { other: "{count} 個のファイルを一時停止中" },
  summaryWaiting: { other: "{count} 個のファイルが待機中" },
  summaryDone: { other: "{count} 個のファイルをアップロードしました" },
  summaryFailed: { other: "{count} 個のファイルをアップロードできませんでした" },
  totalProgress: "全体の進行状況",
  totalDone: "{all} 個中 {done} 個完了",
  totalFailed: { other: "{count} 個失敗" },
  totalPaused: { other: "{count} 個一時停止中" },
  totalSize: "{sent} / {size}",
  speedAndTime: "{speed} · 残り {time}",
  pauseAll: "すべて一時停止",
  resumeAll: "すべて再開",
  retryAll: "すべて再試行",
  cancelAll: "すべてキャンセル",
  retryNow: "今すぐ再試行",
  clearFailed: "失敗したファイルを消去",
  titleProgress: "{percent} – {title}",

  // One upload
  uploadProgress: "{name} の進行状況",
  pause: "{name} を一時停止",
  resume: "{name} を再開",
  retry: "{name} を再試行",
  tryNow: "{name} を今すぐ再試行",
  cancel: "{name} のアップロードをキャンセル",
  dismiss: "{name} を一覧から削除",
  stateQueued: "待機中",
  stateChecking: "アップロード済みの部分を確認しています",
  stateUploading: "{size} 中 {percent}",
  stateUploadingLarge: "{percent} · {sent} / {size}",
  statePaused: "{size} 中 {percent} で一時停止中",
  stateCompleting: "すべて届いたか確認しています",
  stateDone: "完了 · {size}",
  stateCanceled: "キャンセルしました",
  waitingOffline: "オフラインです。接続が戻ると再開します。",
  waitingUnreachable: "サーバーに接続できません。",
  waitingServer: "サーバーで問題が発生しています: {detail}。",
  waitingServerSilent: "サーバーで問題が発生しています。",
  waitingStorage: "サーバーのディスクがいっぱいです。アップロード済みの部分は保持されます。",
  waitingSignIn:
    "サインアウトしています。アップロード済みの部分は保持されます。サインインすると再開します。",
  waitingOtherTab: "このファイルは別のタブでアップロード中です。",
  waitingSameFile: "このファイルはすでに一覧にあります。",
  tryingAgain: "{when}に再試行します。",
  tryingNow: "再試行しています。",

  // Notices beside an upload's state
  noticeResumed: "{size} から再開しました。",
  noticeExpired: "以前のアップロードは期限切れのため、最初から開始します。",
  noticeMissing: "以前のアップロードがサーバーにないため、最初から開始します。",
  noticeDifferent: "以前アップロードしたファイルと内容が異なるため、最初から開始します。",
  noticeElsewhere: "このファイルは別のタブですでにアップロードされています。",
  noticeSameFile: "このファイルは一覧に 2 回あります。アップロードは 1 回だけ行われました。",
  noticeNotRemembered:
    "このブラウザーはこのサイトのデータを保存しません。再読み込みのあとは、ファイルをもう一度選択して再開してください。",

  // Why an upload failed, and what to do
  errorType: "この種類のファイルは受け付けられません。何も送信されていません。",
  errorSize: "大きすぎます: ファイルは {size}、上限は {limit} です。何も送信されていません。",
  errorChanged:
    "アップロード中にファイルが変更または移動されました。現在のバージョンをアップロードするには、もう一度選択してください。",
  errorUnreadable:
    "ブラウザーがこのファイルを読み取れなくなりました。再開するには、もう一度選択してください。",
  errorChecksum:
    "アップロードされたデータがファイルと異なります: チェックサムが一致しません。再試行するとファイル全体を送信します。繰り返し起きる場合は、ファイルとディスクを確認してください。",
  errorRefused: "サーバーがアップロードを拒否しました: {detail}",
  errorServer:
    "サーバーで何度もエラーが起きました: {detail}。あとで再試行してください。アップロード済みの部分は保持されます。",
  errorWorker:
    "このブラウザーではチェックサムを計算できません。ページを再読み込みして、もう一度お試しください。",
  errorInternal:
    "このページで問題が発生しました。再読み込みして、ファイルをもう一度選択してください。アップロード済みの部分は保持されます。",

  // What the server answered (page/server-words.js)
  serverTooLarge: "ファイルが上限 {size} を超えています",
  serverTooMany: {
    other:
      "未完了のアップロードがすでに {count} 件あり、これ以上は追加できません。先に 1 件を完了または削除してください",
  },
  serverQuota: "未完了のアップロードが {size} を超えます。先に 1 件を完了または削除してください",
  serverStored:
    "ファイルの合計が {size} を超えます。残りは {left} です。先にファイルを削除してください",
  serverStoredFiles: {
    other: "ファイルがすでに {count} 個あり、これ以上は追加できません。先に 1 個を削除してください",
  },
  serverDay:
    "1 日の上限 {size} を超えます。今日の残りは {left} です。次の日は {until} に始まります",
  serverTooFast: "リクエストが一度に多すぎます",
  serverType: "{type} 形式のファイルは受け付けられません",
  serverOnlyTypes: "{type} 形式のファイルは受け付けられません。受け付ける形式: {types}",
  serverName: { other: "ファイル名が {count} 文字を超えています" },
  serverNotFound: "アップロードが見つかりません",
  serverExpired: "アップロードの期限が切れています",
  serverInUse: "ファイルは使用中です",
  serverBusy: "アップロードは他のリクエストによって変更されています",
  serverSignIn: "サインインしていません",
  serverDatabase: "データベースを利用できません",
  serverStorage: "ストレージが動作していません",
  serverFull: "ディスクがいっぱいです",
  serverInternal: "内部エラー",

  // Earlier uploads
  filesHeading: "アップロードしたファイル",
  groupUploading: "アップロード中",
  groupNeeds: "操作が必要",
  groupDone: "完了",
  search: "名前またはフォルダーで検索",
  noMatch: "名前またはフォルダーが一致するファイルはありません。",
  order: "並べ替え",
  orderNewest: "新しい順",
  orderName: "名前順",
  orderLargest: "大きい順",
  choose: "ファイルを選ぶ",
  chooseEnd: "選択を終了",
  chooseAll: "すべて選択",
  chooseOne: "{name} を選択",
  chosen: { other: "{count} 個のファイルを選択中、{size}" },
  downloadChosen: "ダウンロード",
  deleteChosen: "削除",
  filesEmpty:
    "まだ何もありません。完了したアップロードが、チェックサムとダウンロード リンクとともにここに表示されます。",
  filesLoading: "アップロードを読み込んでいます…",
  filesFailed: "現在アップロードを表示できません: {detail}",
  unreachable: "サーバーに接続できません",
  filesSignedOut: "アップロードを表示するにはサインインしてください。",
  tryAgain: "再試行",
  close: "このメッセージを閉じる",
  goOn: "再開",
  goOnName: "{name} のアップロードを再開",
  pickAgain: "ファイルを選択",
  pickAgainName: "ファイルを選択: {name} を再開します",
  unfinishedFigures: "{size} 中 {percent} アップロード済み",
  unfinishedUnknown: "{size} アップロード済み",
  unfinishedNotBegun: "未開始 · {size}",
  expires: "{when}に期限切れ",
  timeToFinish: "期限まで {time}",
  expired: "期限切れ。アップロードは最初からになります",
  otherFilePicked:
    "これは {name} ではありません: 名前かサイズが異なります。何もアップロードされていません。再開したいファイルを選択してください。",
  handleGone:
    "ブラウザーが {name} を自動で開けなくなりました。再開するには、もう一度選択してください。",
  resumeAllUnfinished: "すべて再開: 未完了のアップロード",
  chooseAgainTitle: { other: "再開する {count} 個のファイルを選択" },
  chooseAgainBody:
    "再読み込みのあと、ブラウザーはファイルを自動で開けません。ファイルまたはそのフォルダーをもう一度選択してください。中断したところから再開します。",
  chooseAgainMore: { other: "ほか {count} 個のファイル" },
  notAmongThem: {
    other:
      "{count} 個のファイルは未完了のファイルに含まれていないため、アップロードされませんでした。",
  },
  finishedFigures: "{size} · {date}",
  md5: "MD5",
  sha256: "SHA-256",
  showChecksum: "{name} の {checksum}",
  copyChecksum: "{name} の {checksum} をコピー",
  copied: "{name} の {checksum} をコピーしました",
  copyFailed: "ブラウザーがコピーを許可していません。{checksum} は {value} です",
  download: "{name} をダウンロード",
  downloading: "{name} をダウンロード中",
  downloadFailed: "現在 {name} をダウンロードできません: {detail}",
  delete: "{name} を削除",
  deleted: { other: "{count} 個のファイルを削除しました" },
  deleteFailed: { other: "現在 {count} 個のファイルを削除できません: {detail}" },

  // Questions
  keep: "アップロードを続ける",
  keepAll: "アップロードを続ける",
  keepFile: "削除しない",
  keepFiles: "削除しない",
  cancelTitle: "{name} のアップロードをキャンセルしますか?",
  cancelBody: "アップロード済みの {size} は削除されます。",
  cancelAllTitle: { other: "{count} 件のアップロードをキャンセルしますか?" },
  cancelAllBody: "アップロード済みの部分は削除されます。完了したファイルは残ります。",
  cancelConfirm: "アップロードをキャンセル",
  cancelAllConfirm: "アップロードをキャンセル",
  changedTitle: "{name} は変更されています",
  changedBody:
    "アップロードの開始時は {before} でしたが、現在は {now} です。古いバージョンの未完了のアップロードは削除されます。",
  changedConfirm: "新しいバージョンをアップロード",
  deleteTitle: "{name} を削除しますか?",
  deleteSeveralTitle: { other: "{count} 個のファイルを削除しますか?" },
  deleteSeveralBody:
    "ファイルはサーバーから削除され、実行中のアップロードはキャンセルされます。元に戻せません。",
  deleteBody: "ファイルはサーバーから削除され、元に戻せません。",
  deleteConfirm: "削除",

  // Files from other programs
  curlTitle: "curl で送信したファイルはどこですか?",
  curlWithToken: "トークンを付けて送信したファイルは、この一覧に表示されます:",
  curlWithout:
    "サーバーにはありますが、この一覧には表示されません。トークンがないと、サーバーは誰のファイルか判断できません。管理者にトークンの設定を依頼してください。トークンを付けて送信したファイルはここに表示されます。送信するには:",

  // Long uploads
  longOffer: "しばらく時間がかかります。",
  longSwitch: "画面をオンのままにして、完了時に通知する",
  longNoNotification:
    "画面はオンのままになります。このブラウザーはこのページの通知を許可していません。",

  // Links to finished files
  share: "{name} を共有",
  shareTitle: "{name} を共有",
  shareBody:
    "リンクの期限が切れるまで、リンクを知っている人は誰でもファイルをダウンロードできます。",
  shareFor: "新しいリンクの有効期間",
  shareCreate: "リンクを作成",
  shareClose: "閉じる",
  shareAddress: "{name} へのリンク",
  shareCopy: "リンクをコピー",
  sharePassOn: "アプリでリンクを共有",
  shareRevoke: "リンクを無効にする",
  shareMade: "リンクをコピーできます。",
  shareCopied: "リンクをコピーしました。",
  shareCopyByHand:
    "ブラウザーがコピーを許可していません。リンクが選択されているので、キーボードでコピーしてください。",
  shareRevoked: "リンクを無効にしました。もう使えません。",
  shareFailed: "操作できませんでした: {detail}",

  // The page about a link that does not work
  linkInvalid: "このリンクは無効です",
  linkInvalidHelp:
    "一部が欠けているか、変更されている可能性があります。リンク全体をもう一度コピーしてください。",
  linkExpired: "このリンクは期限切れです",
  linkExpiredHelp: "{until} まで有効でした。新しいリンクを依頼してください。",
  linkGone: "このリンクはもう使えません",
  linkGoneHelp: "無効にされたか、ファイルが削除されました。新しいリンクを依頼してください。",

  // Signing in
  signIn: "サインイン",
  signOut: "サインアウト",
  signInTitle: "トークンでサインイン",
  signInBody: "アップロードにはトークンが必要です。管理者にお問い合わせください。",
  signInKept: "トークンは、タブを閉じるかサインアウトするまで、このタブに保持されます。",
  signInKeep: "このブラウザーでサインインしたままにする",
  signInKeptHere:
    "トークンは、サインアウトするまでこのブラウザーのすべてのタブで保持されます。共用のコンピューターでは選択しないでください。",
  signedInAs: "{name} としてサインイン中",
  signInAgain:
    "サーバーがこのトークンを受け付けなくなりました。ファイルは一覧に残り、サインインすると再開します。",
  signInToken: "トークン",
  signInUnknown: "サーバーはこのトークンを受け付けません。",
  signInFailed: "現在トークンを確認できません: {detail}",
  notNow: "後で",
  signInApp: "サインアウトしています。別のタブでサインインして戻ると、アップロードが再開します。",

  // A zone in an app's own page (docs/templates.md)
  zoneMessage: "ここにファイルをドロップするか、クリックしてアップロード。",
  zoneFallback: "お使いのブラウザーはドラッグ アンド ドロップでのアップロードに対応していません。",
  zoneType: "この種類のファイルはアップロードできません。",
  zoneMaxFiles: "これ以上ファイルをアップロードできません。",
  zoneServerError: "サーバー エラー: {{statusCode}}",
  zoneRemove: "ファイルを削除",
  zoneCancelQuestion: "このアップロードをキャンセルしますか?",
  zoneCanceled: "アップロードをキャンセルしました",
  zoneReady: "アップロード準備完了 · {size}",
  zoneRetryNow: "今すぐ再試行",
  zonePause: "一時停止",
  zoneEarlier:
    "{name} ({size}) はまだ完了していません。再開するには、ファイルをもう一度選択してください。",

  // Said to screen readers
  saidDone: { other: "{count} 個のファイルをアップロードしました" },
  saidFailed: { other: "{count} 個のファイルをアップロードできませんでした" },
  saidProgress: "{percent} アップロード済み、残り {time}",
  saidNetwork: "ネットワークに接続されていません",
  saidNetworkBack: "ネットワークに再接続しました",
};
