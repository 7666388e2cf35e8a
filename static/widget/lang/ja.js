export default {
  open: "チャットを開く",
  messages: "メッセージ", you: "あなた", placeholder: "メッセージを入力", send: "送信", stop: "停止", retry: "再試行",
  attach: "画像を添付", remove: "取り消す", image: "画像", menu: "その他", close: "閉じる", earlier: "以前のメッセージ",
  fresh: "新しい会話", askPerson: "担当者と話す", nobody: "ただいま担当者がおりません。", sources: "出典",
  contact: "連絡先を残す", email: "メールアドレス", phone: "電話番号", name: "お名前", save: "保存", saved: "ありがとうございます。",
  check: "入力内容をご確認ください。", rate: "この会話を評価", stars: "5点中{n}点", comment: "詳しく教えてください(任意)", skip: "後で",
  soundOn: "音を出す", soundOff: "音を消す", typing: "{name} が入力中…", unread: "未読 {n} 件",
  offline: "接続がありません。復旧しだいメッセージを送信します。", failed: "うまくいきませんでした。",
  stopped: "停止しました", interrupted: "中断しました", blocked: "このチャットには書き込めません。", until: "{time} まで。",
  tooMany: "メッセージが多すぎます。少し待つと送信されます。", imageFailed: "この画像は送信できません。",
};
