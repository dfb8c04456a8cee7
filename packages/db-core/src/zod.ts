/** zod as the packages load it where they are installed: one file instead of a hundred. Its error texts are English. */
export * from 'zod';
