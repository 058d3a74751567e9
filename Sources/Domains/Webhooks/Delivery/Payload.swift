import Wire

/// The body of a message: `{"type", "timestamp", "data"}`, the same bytes at every attempt.
enum Payload {
    static func body(
        type: String, at time: Timestamp, data: String, of message: MessageId, publicURL: String
    ) -> [UInt8] {
        let whole = write(type, time) { $0.write(data) }
        if whole.count < WebhookLimits.bodyBytesMax { return whole.array }
        return write(type, time) { out in
            out.write(#"{"trimmed":true,"url":"#)
            out.writeJSONString("\(publicURL)/v1/webhook-messages/\(message.uuid)")
            out.write("}")
        }.array
    }

    private static func write(_ type: String, _ time: Timestamp, _ data: (ByteWriter) -> Void) -> ByteWriter {
        let out = ByteWriter(capacity: 1024)
        out.write(#"{"type":"#)
        out.writeJSONString(type)
        out.write(#","timestamp":""#)
        out.write(time)
        out.write(#"","data":"#)
        data(out)
        out.write("}")
        return out
    }
}
