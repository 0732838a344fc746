/** Simple verses around a topic, for those who ask the local model for lyrics or a poem. */

const longestTopic = 60;

/** A verse when the request asks for one. Each step reads the text once, however it is made. */
export function verseAbout(request: string): string | undefined {
  const text = request.normalize("NFKC").trim();
  const japanese = japaneseTopic(text);
  if (japanese !== undefined) return japaneseVerse(japanese.slice(0, longestTopic));
  const english = englishTopic(text);
  if (english !== undefined) return englishVerse(english.slice(0, longestTopic));
  return undefined;
}

/** 海 of 海についての歌. */
function japaneseTopic(text: string): string | undefined {
  for (const clause of text.split(/[、。\s]/)) {
    const at = clause.search(/(?<=.)の(?:歌詞|歌|詩|ポエム)/);
    if (at === -1) continue;
    const asked = clause.slice(0, at);
    const particle = particles.find((one) => asked.endsWith(one) && asked !== one) ?? "";
    return asked.slice(0, asked.length - particle.length);
  }
  return undefined;
}

const particles = ["について", "に関する", "をテーマにした", "を題材にした"];

/** "the sea" of "a song about the sea!" */
function englishTopic(text: string): string | undefined {
  const asked = textAfter(/\b(?:lyrics?|song|poem|verses?|rhyme)\b/i, text);
  const topic = asked && textAfter(/\b(?:about|on|of|for)\s+/i, asked);
  if (topic === undefined) return undefined;
  let end = topic.length;
  while (end > 0 && /[\s.!?]/.test(topic.charAt(end - 1))) end -= 1;
  return end === 0 ? undefined : topic.slice(0, end);
}

function textAfter(words: RegExp, text: string): string | undefined {
  const found = words.exec(text);
  return found === null ? undefined : text.slice(found.index + found[0].length);
}

const isFizzy = (topic: string): boolean => /炭酸|ソーダ|サイダー|soda|sparkling|fizz/i.test(topic);

function japaneseVerse(topic: string): string {
  const scene = isFizzy(topic)
    ? [
        "グラスの底から ひとつぶの光",
        "はじけて消える 夏のひみつ",
        "しゅわしゅわ歌う 小さな泡たち",
        "眠たい午後を そっと起こして",
      ]
    : [
        `窓をあければ ${topic}の気配`,
        "まだ眠たげな 街に朝がくる",
        "ゆうべの涙は 風にあずけて",
        "新しい靴で 歩きだそう",
      ];
  return [
    `『${topic}のうた』`,
    "",
    ...scene,
    "",
    `ああ ${topic} 透きとおる気持ち`,
    "言えないことばも 空へのぼる",
    `ああ ${topic} 君がいるだけで`,
    "いつもの今日が きらめいてゆく",
  ].join("\n");
}

function englishVerse(topic: string): string {
  const scene = isFizzy(topic)
    ? [
        "A thousand tiny lanterns climb the glass,",
        "They whisper of the summer as they pass,",
        "They break upon the surface, one by one,",
        "And every one goes up to meet the sun.",
      ]
    : [
        `The morning opens wide for ${topic},`,
        "The town is half asleep, the light is new,",
        "I leave last night's old worries on the sill",
        "And follow down the road, and up the hill.",
      ];
  return [
    `Song of ${topic}`,
    "",
    ...scene,
    "",
    `Oh, ${topic}, stay a little while,`,
    "You turn a passing moment to a smile,",
    `Oh, ${topic}, sing it clear and bright,`,
    "And carry us, still singing, through the night.",
  ].join("\n");
}
