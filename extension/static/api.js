// The console's files beside this one read the API by these two names. Here the background asks, since it alone holds
// the token.

import { background, fromPages } from "../shared/background.js";

export const getJson = (path) => background(fromPages.read, { path });
export const picture = (path) => background(fromPages.picture, { path });
