/** What the server says of an address that it does not have: the operator's command knows it by that. */
export const noRouteMessage = "There is nothing at this address.";
