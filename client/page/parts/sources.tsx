import type { PartOf } from "langwire-client";
import { useState } from "react";
import { plainLine } from "../language/plain-line.ts";
import { words } from "../language/words.ts";
import { OutLink } from "../markdown/out-link.tsx";
import { webAddress } from "./safe-address.ts";

/** Sources that are listed at first; of one that quotes at length, what is shown. */
const maxListed = 12;
const maxQuote = 240;
const maxTitle = 160;

type Source = PartOf<"source">;

/** What an answer rests on. */
export function Sources({ sources }: { readonly sources: readonly Source[] }) {
  const [isWhole, setWhole] = useState(false);
  if (sources.length === 0) return null;
  const more = isWhole ? 0 : sources.length - maxListed;
  const listed = more > 0 ? sources.slice(0, maxListed) : sources;
  return (
    <section className="sources" aria-label={words.sources}>
      <h3 className="faint">{words.sources}</h3>
      <ol>
        {keyed(listed).map(([key, source]) => (
          <li key={key}>
            <SourceItem source={source} />
          </li>
        ))}
      </ol>
      {more > 0 && (
        <button type="button" className="quiet" onClick={() => setWhole(true)}>
          {words.moreSources(more)}
        </button>
      )}
    </section>
  );
}

function SourceItem({ source: { url, title, documentId, quote } }: { readonly source: Source }) {
  const address = webAddress(url);
  const name = shortened(plainLine(title ?? url ?? documentId ?? words.aDocument), maxTitle);
  return (
    <>
      {address === undefined ? (
        <bdi>{name}</bdi>
      ) : (
        <OutLink href={address.href}>
          <bdi>{name}</bdi>
        </OutLink>
      )}
      {address !== undefined && title !== undefined && (
        <span className="faint"> {address.host}</span>
      )}
      {quote !== undefined && <q className="faint">{shortened(plainLine(quote), maxQuote)}</q>}
    </>
  );
}

function shortened(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length).trimEnd()}…` : text;
}

/** One place may be quoted twice. */
function keyed(sources: readonly Source[]): [string, Source][] {
  return sources.map((source, index) => [`${index}`, source]);
}
