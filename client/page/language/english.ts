/** What the page says in English. Its keys are those of every language. */
import { numberText, tenthsText } from "./formats.ts";

const plurals = new Intl.PluralRules("en");

function counted(count: number, one: string, other: string): string {
  return `${numberText(count)} ${plurals.select(count) === "one" ? one : other}`;
}

export const english = {
  // Around the conversation
  skipToMessageField: "Skip to the message field",
  conversations: "Conversations",
  newConversation: "New conversation",
  noConversations: "Nothing here yet.",
  showMore: "Show more",
  noTitle: "(no title)",
  noName: "(no name)",

  // One in the list
  sharedByYou: "Shared by you",
  sharedWithYou: "Shared with you",
  rename: (title: string) => `Rename ${title}`,
  deleteOne: (title: string) => `Delete ${title}`,
  leaveOne: (title: string) => `Leave ${title}`,
  titleField: "Title of the conversation",
  deleteQuestion: "Delete this conversation?",
  leaveQuestion: "Leave this conversation?",
  /** These two follow the conversation's title. */
  deleteConsequence: ({ isShared }: { readonly isShared: boolean }) =>
    ` and everything in it will be gone${isShared ? ", for everybody who has joined it" : ""}.`,
  leaveConsequence: " will leave your list. Its link lets you join it again.",
  delete: "Delete",
  leave: "Leave",
  cancel: "Cancel",

  // Who one is, and how the page looks
  youAre: "You are",
  signIn: "Sign in",
  signInElsewhere:
    "The application that this chat belongs to signs you in. Sign in there, then come back to this page.",
  signOut: "Sign out",
  token: "Token",
  continue: "Continue",
  continueAs: (userId: string) => `Continue as “${userId}”`,
  theme: { system: "Theme: system", light: "Theme: light", dark: "Theme: dark" },

  // The connection
  offline: "Offline",
  connected: "Connected",
  ready: "Ready",
  connecting: "Connecting…",
  reconnecting: "Reconnecting…",
  closed: "Closed",

  // Opening a conversation
  notFound: "Not found",
  notFoundReason: "This conversation is not there, or it is not shared with you.",
  cannotOpen: "This conversation cannot be opened.",
  startNew: "Start a new one",
  oneMoment: "One moment…",
  whoToTalkTo: "Who would you like to talk to?",
  bot: "Bot",
  suggestions: "Suggestions",
  /** First messages for the bots that ship. */
  suggestionsFor: {
    chat: [
      "What is Langwire?",
      "炭酸水についての歌詞を書いてください。",
      "Write a song about rain",
    ],
    agent: ["What is (12.5 + 3) * 4?", "What time is it in Tokyo?", "How does a client resume?"],
  } as Readonly<Record<string, readonly string[]>>,

  // Writing
  message: "Message",
  writeMessage: "Write a message",
  input: "Input, as JSON",
  writeInput: "Write the input as JSON",
  notJson: "This is not JSON yet.",
  send: "Send",
  stop: "Stop",
  keyboardHint: "Enter sends, Shift + Enter begins a new line.",
  inputKeyboardHint: "Ctrl + Enter sends, Enter begins a new line.",
  touchHint: "Enter begins a new line, the button sends.",
  messageOnItsWay: "Your message is on its way; the next one can be sent after it.",
  tooLong: ({ length, maxLength }: { readonly length: number; readonly maxLength: number }) =>
    `Too long to send: ${numberText(length)} of ${numberText(maxLength)} characters.`,

  // Messages
  messages: "Messages",
  earlierMessages: "Earlier messages",
  earlierNotLoaded: "Earlier messages had not been loaded.",
  toLatest: "To the latest message",
  undrawn: "This message could not be drawn as it should be.",
  you: "You",
  edit: "Edit",
  stoppedHere: "Stopped here.",
  askAgain: "Ask again",
  tryAgain: "Try again",
  /** Follows a sentence. */
  tryAgainIn: (seconds: number) => ` Try again in ${numberText(seconds)} s.`,
  somethingWentWrong: "Something went wrong.",
  progress: "Progress",
  isAnswering: (bot: string) => `${bot} is answering.`,
  hasAnswered: (bot: string) => `${bot} has answered.`,
  wasStopped: (bot: string) => `${bot} was stopped.`,
  said: ({ bot, text }: { readonly bot: string; readonly text: string }) => `${bot}: ${text}`,
  errorIs: (message: string) => `Error: ${message}`,

  // Copying
  copy: "Copy",
  copyAll: "Copy all",
  copyCode: "Copy code",
  copyLink: "Copy link",
  copied: "Copied",
  couldNotCopy: "Could not copy",

  // Sharing
  share: "Share",
  shared: "Shared",
  shareTitle: "Share this conversation",
  whoeverHasLink: "Whoever has this link can join, read along as it happens, and write.",
  notShared:
    "So far it is yours alone. Sharing makes a link; whoever has it can join, read along as it happens, and write.",
  link: "Link",
  makeLink: "Make a link",
  stopSharing: "Stop sharing",
  close: "Close",

  // What an answer is made of
  reasoning: "Reasoning",
  table: "Table",
  /** The language of code that names none. */
  plainText: "text",
  showMoreParts: (count: number) => `Show ${counted(count, "more part", "more parts")}`,
  moreCharacters: (count: number) => `… ${counted(count, "more character", "more characters")} `,
  sources: "Sources",
  moreSources: (count: number) => `${numberText(count)} more`,
  aDocument: "A document",
  botAsked: "The bot asked",
  fileKind: { image: "Image", audio: "Audio", video: "Video", file: "File" },
  dataOrigin: {
    input: "input",
    state: "state",
    artifact: "made by the tool",
    custom: "reported",
  },
  toolState: {
    writing: "writing its arguments…",
    running: "running…",
    done: "done",
    failed: "failed",
    stopped: "stopped",
  },
  toolArguments: "Arguments",
  toolProgress: "Progress",
  toolResult: "Result",

  // How it was made
  howItWasMade: "How it was made",
  working: "Working…",
  workingOn: (name: string) => `Working: ${name}`,
  /** Tools by their names, `more` without; how many steps, and how long they took. */
  steps: ({ names, more, count, duration }: StepsMade) => {
    const used = more === 0 ? names.join(", ") : `${names.join(", ")} and ${numberText(more)} more`;
    const steps = `${counted(count, "step", "steps")} in ${duration}`;
    return names.length === 0 ? steps : `Used ${used} · ${steps}`;
  },
  stepsOfRun: "Steps of the run",
  nothingKept: "Nothing of it was kept.",
  loading: "Loading…",
  spanKind: { chain: "Chain", llm: "Model", tool: "Tool", retriever: "Search" },
  spanStatus: { running: "running", done: "done", failed: "failed", stopped: "stopped" },
  /** Precedes a name. */
  spanIs: ({ kind, status }: { readonly kind: string; readonly status: string }) =>
    `${kind}, ${status}: `,
  spanInput: "Input",
  spanOutput: "Output",
  spanFinish: "Finish",
  tokens: ({ input, output }: { readonly input: number; readonly output: number }) =>
    `${counted(input, "token", "tokens")} in, ${numberText(output)} out`,
  milliseconds: (count: number) => `${numberText(count)} ms`,
  seconds: (count: number) => `${tenthsText(count)} s`,
  minutes: ({ minutes, seconds }: { readonly minutes: number; readonly seconds: number }) =>
    `${numberText(minutes)} min ${numberText(seconds)} s`,
};

export interface StepsMade {
  readonly names: readonly string[];
  readonly more: number;
  readonly count: number;
  readonly duration: string;
}

/** The same keys with other words. */
type Translated<Words> = Words extends string
  ? string
  : Words extends (...values: never) => string
    ? Words
    : { readonly [Key in keyof Words]: Translated<Words[Key]> };

export type Messages = Translated<typeof english>;
