/** The conversation in the address, so that it is there again when the page is loaded anew. */
export function currentConversationId(): string {
  const { hash } = window.location;
  return hash.length > 1 ? hash.slice(1) : newConversation();
}

export function newConversation(): string {
  const id = crypto.randomUUID();
  window.history.replaceState(null, "", `#${id}`);
  return id;
}
