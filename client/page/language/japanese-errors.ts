/** What each error code means, in Japanese: a sentence that says what can be done about it. */
import type { ClientErrorCode } from "langwire-client";

export const japaneseErrors: Readonly<Record<ClientErrorCode, string>> = {
  BAD_INPUT: "送られた内容の形式が正しくありません。",
  UNAUTHORIZED: "本人確認ができないか、期限が切れています。サインインし直してください。",
  AUTH_UNAVAILABLE: "サーバーが今、本人確認を行えません。しばらくしてからもう一度お試しください。",
  NOT_FOUND: "該当する会話、ボット、または実行が見つかりません。",
  CONVERSATION_BUSY: "この会話では別の回答が進行中です。終わるまでお待ちください。",
  RATE_LIMITED: "利用の上限に達しました。しばらくしてからもう一度お試しください。",
  OVERLOADED: "サーバーが混み合っています。しばらくしてからもう一度お試しください。",
  MODEL_RATE_LIMIT:
    "モデルの提供元の利用制限に達しました。しばらくしてからもう一度お試しください。",
  MODEL_AUTHENTICATION:
    "モデルの提供元が、このサーバーの認証情報を受け付けませんでした。管理者にお知らせください。",
  MODEL_NOT_FOUND: "設定されたモデルが、モデルの提供元に見つかりません。管理者にお知らせください。",
  CONTEXT_OVERFLOW:
    "会話がモデルの扱える長さを超えました。メッセージを短くするか、新しい会話を始めてください。",
  PROVIDER_TIMEOUT: "モデルからの応答が途絶えました。もう一度お試しください。",
  PROVIDER_ERROR: "モデルの提供元でエラーが発生しました。もう一度お試しください。",
  PROVIDER_REJECTED: "モデルの提供元が、この要求を受け付けませんでした。管理者にお知らせください。",
  TOOL_FAILED: "ボットのツールが失敗しました。",
  OUTPUT_INVALID: "ボットの回答が決められた形式になりませんでした。もう一度お試しください。",
  BOT_FAILED: "ボットの処理でエラーが発生しました。ボットの開発者にお知らせください。",
  BOT_LIMIT_REACHED: "ボットに設定された回数の上限に達しました。一度に頼む内容を減らしてください。",
  BOT_REFUSED: "ボットの安全対策により、メッセージまたは回答が止められました。",
  INTERRUPT_UNSUPPORTED:
    "ボットが確認を求めて停止しましたが、ここでは答えられません。別のメッセージを送ってください。",
  RUN_TIMEOUT: "処理がこのサーバーの制限時間を超えました。一度に頼む内容を減らしてください。",
  RUN_TOO_LARGE:
    "回答がこのサーバーで保存できる大きさを超えました。一度に頼む内容を減らしてください。",
  SERVER_RESTARTED:
    "サーバーが再起動したため中断されました。途中までの回答は残っています。もう一度お試しください。",
  OWNER_LOST:
    "処理していたサーバーが停止したため中断されました。途中までの回答は残っています。もう一度お試しください。",
  STORE_UNAVAILABLE:
    "サーバーが今、データを保存できません。しばらくしてからもう一度お試しください。",
  INTERNAL: "サーバーで予期しないエラーが発生しました。管理者にお知らせください。",
  UNREACHABLE: "サーバーに接続できません。",
  CLOSED: "この画面が接続を終了しました。",
};
