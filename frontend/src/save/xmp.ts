/**
 * What a saved picture says of itself: an XMP packet (ISO 16684-1), which photo programs, `exiftool` and media servers read
 * from JPEG and PNG alike.
 */

import type { Values } from '../schema/schema';

/** How a picture was painted. */
export interface Making {
  row: string;
  checkpoint?: string | null;
  params: Values;
  when: Date;
}

/** The packet. The prompt is the description; the whole set stands beside it as JSON. */
export function xmp(making: Making): string {
  const { row, checkpoint, params, when } = making;
  const prompt = typeof params.prompt === 'string' ? params.prompt : '';
  const fields = {
    'xmp:CreatorTool': 'Limn',
    'xmp:CreateDate': when.toISOString(),
    'limn:row': row,
    ...(checkpoint ? { 'limn:checkpoint': checkpoint } : {}),
    'limn:params': JSON.stringify(params),
  };
  const attributes = Object.entries(fields).map(([name, value]) => ` ${name}="${escaped(value)}"`);
  return (
    '<?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>' +
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">' +
    '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"' +
    ` xmlns:limn="urn:limn:1"${attributes.join('')}>` +
    `<dc:description><rdf:Alt><rdf:li xml:lang="x-default">${escaped(prompt)}</rdf:li></rdf:Alt></dc:description>` +
    '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
  );
}

function escaped(text: string): string {
  const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  // XML 1.0 cannot carry most control characters at all.
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '').replace(/[&<>"]/g, (sign) => names[sign] ?? sign);
}
