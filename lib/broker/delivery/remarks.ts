/** The sentence that ends many of Apache's remarks; some tools look for it. */
export const faq: string = "See https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details.";
