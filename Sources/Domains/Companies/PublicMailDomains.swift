/// Domains at which anybody can have an address: never a company's own.
enum PublicMailDomains {
    static func contains(_ domain: String) -> Bool { all.contains(domain) }

    private static let all = Set(
        """
        gmail.com googlemail.com outlook.com hotmail.com live.com msn.com outlook.de hotmail.de hotmail.co.uk
        hotmail.fr live.co.uk live.de yahoo.com yahoo.co.uk yahoo.de yahoo.fr yahoo.co.jp yahoo.co.in ymail.com
        rocketmail.com aol.com aim.com icloud.com me.com mac.com proton.me protonmail.com pm.me gmx.de gmx.net gmx.at
        gmx.ch gmx.com web.de t-online.de freenet.de posteo.de posteo.net mailbox.org arcor.de online.de mail.ru inbox.ru
        list.ru bk.ru yandex.ru yandex.com ya.ru qq.com 163.com 126.com sina.com naver.com daum.net hanmail.net
        orange.fr wanadoo.fr free.fr laposte.net sfr.fr libero.it virgilio.it tiscali.it alice.it tin.it telenet.be
        skynet.be ziggo.nl kpnmail.nl planet.nl home.nl bluewin.ch btinternet.com sky.com talktalk.net virginmedia.com
        comcast.net verizon.net att.net sbcglobal.net cox.net charter.net earthlink.net bellsouth.net rogers.com
        shaw.ca sympatico.ca bigpond.com optusnet.com.au uol.com.br bol.com.br terra.com.br rediffmail.com
        fastmail.com fastmail.fm zoho.com tutanota.com tuta.io tuta.com hey.com duck.com mailinator.com guerrillamail.com
        10minutemail.com temp-mail.org yopmail.com sharklasers.com trashmail.com wp.pl o2.pl onet.pl interia.pl
        seznam.cz centrum.cz email.cz abv.bg ukr.net
        """.split(whereSeparator: \.isWhitespace).map(String.init))
}
