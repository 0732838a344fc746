import type { PartOf } from "langwire-client";
import { numberText, tenthsText } from "../language/formats.ts";
import { plainLine } from "../language/plain-line.ts";
import { words } from "../language/words.ts";
import { OutLink } from "../markdown/out-link.tsx";
import { isHeldFile, isPicture, webAddress } from "./safe-address.ts";

/**
 * What a model or a tool made. A picture that is in the message is shown; what is elsewhere is a link:
 * nothing is loaded from addresses that a bot gave.
 */
export function FileView({ file }: { readonly file: PartOf<"file"> }) {
  const { kind, url, mimeType, bytes } = file;
  const name = plainLine(file.name ?? words.fileKind[kind]).slice(0, 120);
  if (isPicture(url)) return <img className="picture" src={url} alt={name} decoding="async" />;
  const address = webAddress(url);
  const facts = [mimeType, bytes === undefined ? undefined : sizeText(bytes)]
    .filter((fact) => fact !== undefined)
    .join(", ");
  return (
    <p className="file">
      {address !== undefined ? (
        <OutLink href={address.href}>{name}</OutLink>
      ) : isHeldFile(url) ? (
        <a href={url} download={name}>
          {name}
        </a>
      ) : (
        name
      )}
      {facts !== "" && <span className="faint"> {plainLine(facts).slice(0, 120)}</span>}
    </p>
  );
}

function sizeText(bytes: number): string {
  if (bytes < 1_000) return `${numberText(bytes)} B`;
  if (bytes < 1_000_000) return `${numberText(Math.round(bytes / 1_000))} kB`;
  return `${tenthsText(bytes / 1_000_000)} MB`;
}
