import Loop
import Outbound

extension Settings {
    /// The storage as it is set; throws what is missing or cannot be.
    public func openStorage(on loops: LoopGroup, pool: BlockingPool) throws(StorageError) -> any Storage {
        switch self.storage {
        case .local: return try FolderStorage(folder: self.storageFolder, pool: pool)
        case .s3:
            let needed: [(String, String?)] = [
                ("INFINITY_S3_ENDPOINT", self.s3Endpoint?.text), ("INFINITY_S3_BUCKET", self.s3Bucket),
                ("INFINITY_S3_ACCESS_KEY", self.s3AccessKey),
                ("INFINITY_S3_SECRET_KEY", self.s3SecretKey?.revealed),
            ]
            for (name, value) in needed where value == nil {
                throw .failed("INFINITY_STORAGE is s3, but \(name) is not set")
            }
            return BucketStorage(
                BucketStorage.Place(
                    endpoint: needed[0].1!, bucket: needed[1].1!, isInHost: self.s3Addressing == .host),
                signer: SignatureV4(region: self.s3Region, accessKey: needed[2].1!, secretKey: needed[3].1!),
                client: HTTPClient(loops: loops, resolver: pool))
        }
    }
}
