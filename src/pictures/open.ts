import { PictureBucket, parseBucket } from "./bucket.js";
import { PictureFolder, type PictureStore } from "./store.js";

/** What says where pictures are kept. */
export interface PicturePlace {
  readonly PICTURES: string;
  readonly DATABASE_URL: string;
  /** Empty: the client finds keys as Amazon's own tools do. */
  readonly AWS_ACCESS_KEY_ID: string;
  readonly AWS_SECRET_ACCESS_KEY: string;
  /** The folder of pictures, or with a bucket the one of those at hand. */
  readonly picturesDir: string;
}

export const isBucket = ({ PICTURES }: PicturePlace): boolean => PICTURES.startsWith("s3:");

/** Opens the store that `PICTURES` names. Throws InputError CONFIG and system errors. */
export async function openPictures(place: PicturePlace): Promise<PictureStore> {
  if (isBucket(place)) return openBucket(place);
  return new PictureFolder(place.picturesDir, { isShared: place.DATABASE_URL !== "" });
}

function openBucket(place: PicturePlace): Promise<PictureBucket> {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = place;
  const keys = accessKeyId === "" ? null : { accessKeyId, secretAccessKey };
  return PictureBucket.open(parseBucket(place.PICTURES), keys, place.picturesDir);
}
