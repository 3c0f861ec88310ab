<?php
/** An extension of the tests: <tbnote>text</tbnote>. Which of its updates this is stands in variant.txt. */
class TbNoteHooks {
	private static function variant() {
		return trim( file_get_contents( __DIR__ . '/variant.txt' ) );
	}

	public static function onParserFirstCallInit( $parser ) {
		$parser->setHook(
			'tbnote',
			static function ( $text ) {
				return '<span class="tbnote">' . htmlspecialchars( (string)$text ) . '</span>';
			}
		);
	}

	public static function onBeforePageDisplay( $out, $skin ) {
		if ( self::variant() === 'broken' ) {
			// Fine on the command line, and the end of every page.
			throw new Error( 'TbNote lost its way' );
		}
	}

	public static function onLoadExtensionSchemaUpdates( $updater ) {
		$updater->addExtensionTable( 'tbnote', __DIR__ . '/sql/tbnote.sql' );
		if ( self::variant() === 'failing' ) {
			// The table is made anew, and then there is no such file.
			$updater->addExtensionTable( 'tbnote_more', __DIR__ . '/sql/more.sql' );
			$updater->addExtensionTable( 'tbnote_absent', __DIR__ . '/sql/absent.sql' );
		}
	}
}
