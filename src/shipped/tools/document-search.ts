/**
 * Search over Markdown documents: their passages, one per heading, ranked by BM25. Words are cut by
 * `Intl.Segmenter`, so that Japanese, which puts no spaces between them, is searched like English.
 */

interface Passage {
  /** The document's name. */
  readonly source: string;
  readonly heading: string;
  readonly text: string;
}

export interface Hit extends Passage {
  readonly score: number;
}

/** BM25's usual constants: how fast a repeated word saturates, how much length counts. */
const saturation = 1.2;
const lengthWeight = 0.75;
/** Words of a heading say more about a passage than words of its text. */
const headingWeight = 2;
/** A passage in the other language is worth finding, but not before one in the query's own. */
const otherLanguageWeight = 0.3;
const longestPassage = 1_500;

const segmenter = new Intl.Segmenter("ja", { granularity: "word" });

interface Indexed {
  readonly passage: Passage;
  readonly counts: ReadonlyMap<string, number>;
  readonly length: number;
}

export class DocumentSearch {
  readonly #passages: readonly Indexed[];
  readonly #passagesWith = new Map<string, number>();
  readonly #averageLength: number;

  constructor(documents: readonly { name: string; markdown: string }[]) {
    this.#passages = documents
      .flatMap(({ name, markdown }) => passagesOf(name, markdown))
      .map(indexed);
    for (const { counts } of this.#passages) {
      for (const word of counts.keys()) {
        this.#passagesWith.set(word, (this.#passagesWith.get(word) ?? 0) + 1);
      }
    }
    const total = this.#passages.reduce((sum, { length }) => sum + length, 0);
    this.#averageLength = total / Math.max(1, this.#passages.length);
  }

  /** The passages that fit best, the best first; none where no word occurs. */
  search(query: string, limit: number): Hit[] {
    const words = new Set(wordsOf(query));
    const japanese = isJapanese(query);
    return this.#passages
      .map((indexed) => {
        const inOtherLanguage = isJapanese(indexed.passage.text) !== japanese;
        const score = this.#score(indexed, words) * (inOtherLanguage ? otherLanguageWeight : 1);
        return { ...indexed.passage, score };
      })
      .filter(({ score }) => score > 0)
      .sort((a, b) => b.score - a.score)
      .slice(0, limit);
  }

  #score({ counts, length }: Indexed, words: ReadonlySet<string>): number {
    let score = 0;
    for (const word of words) {
      const count = counts.get(word);
      if (count === undefined) continue;
      const passagesWith = this.#passagesWith.get(word) ?? 0;
      const rarity = Math.log(
        1 + (this.#passages.length - passagesWith + 0.5) / (passagesWith + 0.5),
      );
      const longness = 1 - lengthWeight + (lengthWeight * length) / this.#averageLength;
      score += (rarity * count * (saturation + 1)) / (count + saturation * longness);
    }
    return score;
  }
}

function indexed(passage: Passage): Indexed {
  const counts = new Map<string, number>();
  const words = wordsOf(passage.text);
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  for (const word of wordsOf(passage.heading)) {
    counts.set(word, (counts.get(word) ?? 0) + headingWeight);
  }
  return { passage, counts, length: words.length };
}

const isJapanese = (text: string): boolean =>
  /[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(text);

/** Words that are in every text and tell nothing. */
const commonWords = new Set(
  "a an and are as at be by can do does for from how i in is it its me my of on or that the this to what when where which who why will with you your about tell please は が を に の と で も へ や か です ます する した て い う から まで こと もの ください について とは 何 なに".split(
    " ",
  ),
);

function wordsOf(text: string): string[] {
  const words: string[] = [];
  for (const { segment, isWordLike } of segmenter.segment(text.normalize("NFKC").toLowerCase())) {
    if (!isWordLike || commonWords.has(segment)) continue;
    words.push(stem(segment));
  }
  return words;
}

/** Plurals find their singulars; no more than that. */
function stem(word: string): string {
  return /^[a-z]{2,}[^s]s$/.test(word) ? word.slice(0, -1) : word;
}

/** A passage per heading; the text before the first stands under the document's name. */
function passagesOf(source: string, markdown: string): Passage[] {
  const passages: Passage[] = [];
  let heading = source;
  let lines: string[] = [];
  let inCode = false;
  const finish = (): void => {
    const text = lines.join("\n").trim();
    for (let at = 0; at < text.length; at += longestPassage) {
      passages.push({ source, heading, text: text.slice(at, at + longestPassage) });
    }
    lines = [];
  };
  for (const line of markdown.split(/\r?\n/)) {
    if (line.startsWith("```")) inCode = !inCode;
    const found = inCode ? null : /^#{1,6}\s+(.+)$/.exec(line);
    if (found === null) {
      lines.push(line);
      continue;
    }
    finish();
    heading = found[1] ?? source;
  }
  finish();
  return passages;
}
