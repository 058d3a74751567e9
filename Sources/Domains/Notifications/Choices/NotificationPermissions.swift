import API

extension Permission {
    static let notificationsSend = Permission(
        "notifications:send", "Send notifications to members", [.owner, .admin, .manager])
    static let notificationsManage = Permission(
        "notifications:manage", "Decide how the company's notifications travel, and see where they went",
        [.owner, .admin])
}
