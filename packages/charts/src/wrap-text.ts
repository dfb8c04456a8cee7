/** vega's own estimate of a character's width where it cannot measure, a share of the font size. */
const characterWidth = 0.8;

/** A text in lines of about `width` pixels, broken between words; a longer word has a line of its own. */
export function wrapText(text: string, width: number, fontSize: number): readonly string[] {
  const most = Math.max(1, Math.floor(width / (characterWidth * fontSize)));
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= most) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
