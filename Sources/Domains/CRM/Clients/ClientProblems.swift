import API

extension ProblemCode {
    static let contactKnown = ProblemCode(
        "contact-known", 409, "A contact with this address or number is there already",
        advice: "Change the contact that `contact_id` names, or merge the two.")
    static let contactInTrash = ProblemCode(
        "contact-in-trash", 409, "A contact with this address or number lies in the trash",
        advice: "Take the contact that `contact_id` names out of the trash, or wait until it is gone.")
    static let clientKnown = ProblemCode(
        "client-known", 409, "A client with this website is there already",
        advice: "Change the client that `client_id` names, or merge the two.")
    static let unknownOwner = ProblemCode(
        "unknown-owner", 422, "The owner is no active member of this company",
        advice: "Name an active member.")
    static let relationExists = ProblemCode(
        "relation-exists", 409, "The clients stand to each other like this already",
        advice: "There is nothing to do.")
    static let relationCircle = ProblemCode(
        "relation-circle", 409, "This would make a client its own parent",
        advice: "A client cannot be above itself, over whatever others.")
    static let tooManyParts = ProblemCode(
        "too-many-record-parts", 409, "The record has as many of these as it may",
        advice: "Take one away first.")
    static let recordFileAttached = ProblemCode(
        "record-file-attached", 409, "The file is attached to this record already",
        advice: "There is nothing to do.")
    static let notInTrash = ProblemCode(
        "record-not-in-trash", 409, "The record is not in the trash", advice: "There is nothing to do.")
    static let alreadyMerged = ProblemCode(
        "already-merged", 409, "The record has become part of another",
        advice: "Use the record that `survivor_id` names.")
    static let mergeUndone = ProblemCode(
        "merge-undone", 409, "The merge has been undone", advice: "There is nothing to do.")
    static let mergeTooOld = ProblemCode(
        "merge-too-old", 409, "The merge can be undone no more",
        advice: "Make the second record anew; a merge can be undone for \(ContactLimits.undoDays) days.")
    static let duplicateDecided = ProblemCode(
        "duplicate-decided", 409, "Somebody has decided on this pair already",
        advice: "There is nothing to do.")
}
