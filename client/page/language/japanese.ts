/** What the page says in Japanese. */
import type { Messages } from "./english.ts";
import { numberText, tenthsText } from "./formats.ts";

export const japanese: Messages = {
  skipToMessageField: "メッセージ欄へ移動",
  conversations: "会話の一覧",
  newConversation: "新しい会話",
  noConversations: "まだ会話はありません。",
  showMore: "さらに表示",
  noTitle: "（無題）",
  noName: "（名前なし）",

  sharedByYou: "自分が共有中",
  sharedWithYou: "共有された会話",
  rename: (title) => `${title} の名前を変更`,
  deleteOne: (title) => `${title} を削除`,
  leaveOne: (title) => `${title} から退出`,
  titleField: "会話のタイトル",
  deleteQuestion: "この会話を削除しますか？",
  leaveQuestion: "この会話から退出しますか？",
  deleteConsequence: ({ isShared }) =>
    isShared
      ? " とその内容がすべて、参加している全員から消えます。"
      : " とその内容がすべて消えます。",
  leaveConsequence: " が一覧から消えます。リンクを開けば、また参加できます。",
  delete: "削除",
  leave: "退出",
  cancel: "キャンセル",

  youAre: "ユーザー名",
  signIn: "サインイン",
  signInElsewhere:
    "サインインは、このチャットを提供しているアプリケーションで行います。そちらでサインインしてから、このページに戻ってください。",
  signOut: "サインアウト",
  token: "トークン",
  continue: "続ける",
  continueAs: (userId) => `「${userId}」として続ける`,
  theme: { system: "テーマ: 自動", light: "テーマ: ライト", dark: "テーマ: ダーク" },

  offline: "オフライン",
  connected: "接続済み",
  ready: "準備完了",
  connecting: "接続中…",
  reconnecting: "再接続中…",
  closed: "切断",

  notFound: "見つかりません",
  notFoundReason: "この会話は存在しないか、あなたには共有されていません。",
  cannotOpen: "この会話を開けません。",
  startNew: "新しい会話を始める",
  oneMoment: "お待ちください…",
  whoToTalkTo: "どのボットと話しますか？",
  bot: "ボット",
  suggestions: "質問の例",
  suggestionsFor: {
    chat: ["Langwire とは何ですか？", "炭酸水についての歌詞を書いてください。", "こんにちは"],
    agent: ["(12.5 + 3) * 4 はいくつ？", "東京は今何時ですか？", "再接続するとどうなりますか？"],
  },

  message: "メッセージ",
  writeMessage: "メッセージを入力",
  input: "入力（JSON）",
  writeInput: "JSON で入力",
  notJson: "まだ JSON になっていません。",
  send: "送信",
  stop: "停止",
  keyboardHint: "Enter で送信、Shift + Enter で改行します。",
  inputKeyboardHint: "Ctrl + Enter で送信、Enter で改行します。",
  touchHint: "Enter で改行、ボタンで送信します。",
  messageOnItsWay: "送信中です。次のメッセージは、このあとで送れます。",
  tooLong: ({ length, maxLength }) =>
    `長すぎて送信できません: ${numberText(length)} 文字（上限 ${numberText(maxLength)} 文字）。`,

  messages: "メッセージの一覧",
  earlierMessages: "以前のメッセージ",
  earlierNotLoaded: "これより前のメッセージは読み込まれていません。",
  toLatest: "最新のメッセージへ",
  undrawn: "このメッセージは正しく表示できませんでした。",
  you: "あなた",
  edit: "編集",
  stoppedHere: "ここで停止しました。",
  askAgain: "もう一度聞く",
  tryAgain: "再試行",
  tryAgainIn: (seconds) => `${numberText(seconds)} 秒後に再試行できます。`,
  somethingWentWrong: "問題が発生しました。",
  progress: "進行状況",
  isAnswering: (bot) => `${bot} が回答しています。`,
  hasAnswered: (bot) => `${bot} が回答しました。`,
  wasStopped: (bot) => `${bot} を停止しました。`,
  said: ({ bot, text }) => `${bot}: ${text}`,
  errorIs: (message) => `エラー: ${message}`,

  copy: "コピー",
  copyAll: "すべてコピー",
  copyCode: "コードをコピー",
  copyLink: "リンクをコピー",
  copied: "コピーしました",
  couldNotCopy: "コピーできませんでした",

  share: "共有",
  shared: "共有中",
  shareTitle: "会話を共有",
  whoeverHasLink:
    "このリンクを知っている人は誰でも参加でき、やり取りをその場で読み、書き込めます。",
  notShared:
    "今はあなただけの会話です。共有するとリンクができ、それを知っている人は誰でも参加して、やり取りをその場で読み、書き込めます。",
  link: "リンク",
  makeLink: "リンクを作成",
  stopSharing: "共有をやめる",
  close: "閉じる",

  reasoning: "思考の過程",
  table: "表",
  plainText: "テキスト",
  showMoreParts: (count) => `残り ${numberText(count)} 件を表示`,
  moreCharacters: (count) => `… 残り ${numberText(count)} 文字 `,
  sources: "出典",
  moreSources: (count) => `ほか ${numberText(count)} 件`,
  aDocument: "文書",
  botAsked: "ボットからの質問",
  fileKind: { image: "画像", audio: "音声", video: "動画", file: "ファイル" },
  dataOrigin: {
    input: "入力",
    state: "状態",
    artifact: "ツールの成果物",
    custom: "ボットからの報告",
  },
  toolState: {
    writing: "引数を作成中…",
    running: "実行中…",
    done: "完了",
    failed: "失敗",
    stopped: "停止",
  },
  toolArguments: "引数",
  toolProgress: "経過",
  toolResult: "結果",

  howItWasMade: "回答までの過程",
  working: "処理中…",
  workingOn: (name) => `処理中: ${name}`,
  steps: ({ names, more, count, duration }) => {
    const listed = names.join("、");
    const used = more === 0 ? `${listed} を使用` : `${listed} ほか ${numberText(more)} 件を使用`;
    const steps = `${numberText(count)} ステップ、${duration}`;
    return names.length === 0 ? steps : `${used} · ${steps}`;
  },
  stepsOfRun: "実行のステップ",
  nothingKept: "記録は残っていません。",
  loading: "読み込み中…",
  spanKind: { chain: "チェーン", llm: "モデル", tool: "ツール", retriever: "検索" },
  spanStatus: { running: "実行中", done: "完了", failed: "失敗", stopped: "停止" },
  spanIs: ({ kind, status }) => `${kind}、${status}: `,
  spanInput: "入力",
  spanOutput: "出力",
  spanFinish: "終了理由",
  tokens: ({ input, output }) =>
    `入力 ${numberText(input)} トークン、出力 ${numberText(output)} トークン`,
  milliseconds: (count) => `${numberText(count)} ミリ秒`,
  seconds: (count) => `${tenthsText(count)} 秒`,
  minutes: ({ minutes, seconds }) => `${numberText(minutes)} 分 ${numberText(seconds)} 秒`,
};
