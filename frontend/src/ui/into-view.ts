/** What has just come to stand on the page is brought into view. */
export const intoView = (node: Element): void => {
  node.scrollIntoView({ block: "nearest" });
};
