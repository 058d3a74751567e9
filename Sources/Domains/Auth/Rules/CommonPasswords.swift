/// The words that passwords are made of when nobody thinks, and how people dress them up.
///
/// A list of words and the rules below stand for the many thousand variants: `P@ssw0rd2026!` is `password`.
enum CommonPasswords {
    static func contains(_ password: String) -> Bool {
        let bare = core(of: password)
        // Hardly a letter in it: dates, telephone numbers and the like.
        if bare.count < 4 { return password.count < 16 }
        if words.contains(bare) { return true }
        // Two or three of the words after one another, or one of them said again.
        return isMadeOfWords(bare[...], atMost: 2)
    }

    /// Lower case, digits and signs that stand for letters read as them, the rest of the decoration cut off.
    static func core(of text: String) -> String {
        let lower = text.lowercased()
        let ends = CharacterSet.decoration
        let middle = trim(lower, ends)
        return String(
            middle.compactMap { letter -> Character? in
                if let meant = disguises[letter] { return meant }
                return letter.isLetter || letter.isNumber ? letter : nil
            })
    }

    private static func trim(_ text: String, _ isDecoration: (Character) -> Bool) -> Substring {
        var text = text[...]
        while let last = text.last, isDecoration(last) { text.removeLast() }
        while let first = text.first, isDecoration(first) { text.removeFirst() }
        return text
    }

    private enum CharacterSet {
        static func decoration(_ letter: Character) -> Bool { !letter.isLetter }
    }

    private static let disguises: [Character: Character] = [
        "@": "a", "4": "a", "3": "e", "1": "i", "!": "i", "0": "o", "$": "s", "5": "s", "7": "t", "8": "b",
        "9": "g",
    ]

    private static func isMadeOfWords(_ text: Substring, atMost count: Int) -> Bool {
        if text.isEmpty { return true }
        guard count > 0 else { return false }
        return words.contains { word in
            text.hasPrefix(word) && isMadeOfWords(text.dropFirst(word.count), atMost: count - 1)
        }
    }

    /// Written down by topic, from what break-ins have shown again and again.
    private static let words = Set(
        """
        password passwort passwords passwd pass motdepasse contrasena senha parola wachtwoord losenord haslo salasana
        login logon signin access account admin administrator root superuser sysadmin user username guest test tester
        testing demo example sample default temp temporary changeme change letmein openup enter secret geheim private
        secure security safe unlock master mastermind system server network internet computer laptop office windows
        microsoft apple google facebook instagram twitter youtube amazon netflix linkedin gmail yahoo hotmail outlook
        samsung nokia android iphone linux ubuntu debian oracle database postgres postgresql mysql mongodb redis docker
        kubernetes jenkins infinity marketing company business service support helpdesk manager worker student teacher
        welcome willkommen bienvenue bienvenido hello hallo bonjour hola goodbye please thankyou thanks whatever
        nothing something anything everything forever never always today tomorrow yesterday monday tuesday wednesday
        thursday friday saturday sunday january february march april june july august september october november
        december januar februar maerz oktober dezember spring summer autumn fall winter sommer herbst fruehling
        iloveyou iloveu loveyou lovely lover love loveme babygirl baby angel princess prince queen king beautiful
        sweetheart sweetie honey sunshine rainbow butterfly flower rose daisy lily jasmine cherry orange banana peach
        strawberry chocolate cookie candy sugar pepper ginger coffee pizza cheese butter chicken
        football soccer baseball basketball hockey tennis golf cricket fussball bayern liverpool arsenal chelsea
        manchester barcelona realmadrid juventus yankees cowboys steelers eagles lakers bulls packers ferrari porsche
        mercedes corvette mustang camaro harley yamaha honda toyota audi volkswagen
        dragon monkey tiger lion eagle falcon hawk wolf bear panther puma cougar shark dolphin horse pony kitten kitty
        puppy doggy spider scorpion phoenix unicorn rabbit turtle penguin elephant panda
        superman batman spiderman wonderwoman ironman avengers marvel starwars startrek skywalker vader yoda gandalf
        hobbit frodo harrypotter potter pokemon pikachu naruto minecraft fortnite warcraft starcraft matrix trustno
        michael michelle jennifer jessica ashley amanda nicole daniel matthew joshua andrew christopher anthony robert
        thomas william charlie george jordan taylor hunter thunder maggie buster bailey rocky lucky happy smile
        killer hacker ninja warrior soldier ranger sniper gunner hammer diamond silver golden gold platinum money
        dollar million lottery casino jackpot victory winner champion legend hero genius magic mystery shadow ghost
        zombie vampire demon devil heaven jesus christ church bible faith blessed freedom liberty justice peace
        america american canada england london paris berlin germany deutschland france italia espana brasil mexico
        india china japan russia moscow australia newyork california texas florida chicago boston dallas
        music guitar piano metallica nirvana beatles slipknot eminem rockstar rocknroll dancer singer
        qwerty qwertz azerty asdf asdfgh zxcv zxcvbn qazwsx qweasd qweasdzxc qwerasdf asdfqwer abcd abcdef abcabc
        zaqwsx zaqxsw poiuyt lkjhgf mnbvcx iqazwsx iqaz iqweasd wsxedc edcrfv
        """.split(whereSeparator: \.isWhitespace).map(String.init))
}
