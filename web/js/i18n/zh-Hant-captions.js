/** 即時字幕的文字。 */
export default {
  "choice.live_transcriber": "即時字幕",
  "choice.live_transcriber-hint": "在會議中寫下大家說的話，每個人都看得到。",

  "captions.told": "這場會議會寫下大家說的話，每個人都看得到（{title}）。",
  "captions.told-away": "這場會議會把聲音傳到另一個服務（{title}）寫下來，每個人都看得到。",
  "captions.not-kept": "字幕不會保存。不參與錄影的人說的話也會出現在字幕裡。麥克風關閉時不會聽取任何聲音。",
  "captions.open": "語言",
  "captions.badge": "字幕",
  "captions.badge-starting": "字幕準備中",
  "captions.badge-behind": "字幕：有些略過了",
  "captions.badge-failed": "沒有字幕",
  "captions.failed": "目前沒有字幕。會議照常進行，字幕恢復後會再出現。",
  "captions.behind": "伺服器來不及寫下所有字幕，有些略過了。",
  "captions.said": "說過的話",
  "captions.nothing-said": "還沒有內容。大家說的話會出現在這裡。",
  "captions.language": "您說的語言",
  "captions.language-meeting": "依會議設定：{language}",

  "toolbar.captions-show": "顯示字幕（T）",
  "toolbar.captions-hide": "隱藏字幕（T）",
  "toolbar.said": "說過的話（W）",
  "help.captions": "顯示或隱藏字幕",
  "help.said": "說過的話",
};
