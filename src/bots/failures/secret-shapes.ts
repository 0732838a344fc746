/**
 * Hides what looks like a secret in what others say. Providers quote the key that they do not accept, and
 * a program may have it from anywhere: what is not in the environment is known by its shape alone. What is
 * only called a secret and looks like a word stays, or nobody could read what is wrong.
 */

const hidden = "[secret]";

/** The keys of model providers and of what is around them; after `key`, only what has a digit in it. */
const ownPrefix =
  /\b(?:(?:sk|pk|rk|gsk|xai|nvapi|hf|tgp|fw|csk|pplx|r8|lsv2|ls__|gh[opsu]|github_pat|glpat|xox[abeprs]|dop_v1|dapi|npm|whsec|voyage)[-_][\w-]{8,}|(?:AIza|AKIA|ASIA|ya29\.)[\w-]{12,}|key[-_](?=[\w-]{0,80}\d)[\w-]{12,})/g;

/** A JSON Web Token. */
const webToken = /\beyJ[\w-]{8,400}\.[\w-]{4,}(?:\.[\w-]*)?/g;

/** With its scheme: `Bearer …`. */
const credentials =
  /\b(bearer|basic|token|apikey)(\s{1,4}|%20)(?:(?=[\w.~+/=-]*[\d_+/=-])[\w.~+/=-]{8,}|[\w.~+/=-]{16,})/gi;

/** A header or a field, in whatever way it is written: `'x-api-key': '…'`, `api key provided: …`. */
const field =
  /((?:authorization|api[-_ ]?key|(?:access|refresh|auth|id|session|api)[-_]?token|set-cookie|cookie)(?: provided)?["']?\s{0,4}[:=]\s{0,4}\[?\s{0,4}["']?)(?:(?:bearer|basic|token)\s{1,4})?[^\s"',}&[\]]{5,}[^\s"',}&[\].;:)]/gi;

/** Words that are named in sentences, too: there, what follows is in no quotes. */
const quoted =
  /((?:password|passwd|passphrase|(?:client[-_]?)?secret|token)["']?\s{0,4}[:=]\s{0,4}(["']))(?:(?!\2).){4,1000}(?=\2)/gi;

/** A parameter of an address, by its name: `?key=…`, `&X-Amz-Signature=…`. */
const parameter =
  /([?&;](?:[\w.-]*(?:key|token|secret|password|passwd|pwd|sig|signature|credential|auth|code))=)[^\s&;"'<>#]{4,}/gi;

/** The same by its value: long, of letters and digits, and no UUID. */
const opaque =
  /([?&][\w.-]+=)(?=[^&\s]{0,80}\d)(?=[^&\s]{0,80}[a-z])[\w+/%]{32,}={0,2}(?=$|[\s&"'<>#,;)])/gi;

/** `https://user:password@host`, and a token in the user's place. */
const inAddress = /\b([a-z][a-z\d+.-]{0,20}:\/\/)[^\s/@"'<>]{1,400}@/gi;

export function withoutKeys(text: string): string {
  return text
    .replace(inAddress, `$1${hidden}@`)
    .replace(parameter, `$1${hidden}`)
    .replace(opaque, `$1${hidden}`)
    .replace(field, `$1${hidden}`)
    .replace(quoted, `$1${hidden}`)
    .replace(credentials, `$1$2${hidden}`)
    .replace(webToken, hidden)
    .replace(ownPrefix, hidden);
}
