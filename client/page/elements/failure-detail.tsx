import { Disclosure } from "./disclosure.tsx";
import { Value } from "./value.tsx";

/** What was thrown, and where: servers in development alone say it. */
export function FailureDetail({ detail }: { readonly detail: string | undefined }) {
  if (detail === undefined) return null;
  const [first = ""] = detail.split("\n", 1);
  return (
    <Disclosure className="failure-detail" summary={first}>
      {() => <Value value={detail} />}
    </Disclosure>
  );
}
