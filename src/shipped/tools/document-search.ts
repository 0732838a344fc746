/**
 * Search over Markdown documents: their passages, one per heading, ranked by BM25. Words are cut by
 * `Intl.Segmenter`, so that Japanese, which puts no spaces between them, is searched like English.
 */
import MiniSearch from "minisearch";

interface Passage {
  /** The document's name. */
  readonly source: string;
  readonly heading: string;
  readonly text: string;
}

export interface Hit extends Passage {
  readonly score: number;
}

/** Words of a heading say more about a passage than words of its text. */
const headingWeight = 2;
/** A passage in the other language is worth finding, but not before one in the query's own. */
const otherLanguageWeight = 0.3;
const longestPassage = 1_500;
/** Characters of a query that are looked at, of a message as long as it may be. */
const longestQuery = 2_000;

const segmenter = new Intl.Segmenter("ja", { granularity: "word" });

export class DocumentSearch {
  readonly #passages: readonly Passage[];
  readonly #index: MiniSearch<Passage & { id: number }>;

  constructor(documents: readonly { name: string; markdown: string }[]) {
    this.#passages = documents.flatMap(({ name, markdown }) => passagesOf(name, markdown));
    this.#index = new MiniSearch({
      fields: ["heading", "text"],
      tokenize: wordsOf,
      // The words are whole as they are: `wordsOf` has folded their case and form.
      processTerm: (word) => word,
    });
    this.#index.addAll(this.#passages.map((passage, id) => ({ ...passage, id })));
  }

  /** The passages that fit best, the best first; none where no word occurs. */
  search(query: string, limit: number): Hit[] {
    const japanese = isJapanese(query);
    // Each word once: the index would be asked as often as a word is repeated.
    const words = [...new Set(wordsOf(query.slice(0, longestQuery)))];
    const found = this.#index.search(query, {
      tokenize: () => words,
      boost: { heading: headingWeight },
      boostDocument: (id: number) =>
        isJapanese(this.#passages[id]?.text ?? "") === japanese ? 1 : otherLanguageWeight,
    });
    return found.slice(0, limit).flatMap(({ id, score }) => {
      const passage = this.#passages[id];
      return passage === undefined ? [] : [{ ...passage, score }];
    });
  }
}

const isJapanese = (text: string): boolean =>
  /[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(text);

/** Stop words of English and Japanese. */
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
