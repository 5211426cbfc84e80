/**
 * The bound of an LRUCache whose memory grows with what is in it. With `max` alone it would take the memory of all
 * entries at once, and most of ours stay far from full.
 */
export const atMost = (entries: number) => ({ maxSize: entries, sizeCalculation: (): number => 1 });
