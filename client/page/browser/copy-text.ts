/**
 * Browsers offer their clipboard only to pages that came over HTTPS or from localhost. On any other
 * page a field is filled, selected and copied, as a hand would do it.
 * @param button what was pressed: the field stands beside it, since around a dialog nothing can be
 * selected, and gives the focus back to it
 * @returns whether the text is in the clipboard now
 */
export async function copyText(text: string, button: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyByField(text, button);
  }
}

function copyByField(text: string, button: HTMLElement): boolean {
  const field = document.createElement("textarea");
  field.value = text;
  field.readOnly = true;
  field.className = "visually-hidden";
  button.after(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  button.focus();
  return isCopied;
}
