<?php
/** STAND-IN for drupal/core-composer-scaffold: copies the core's files into the web root, also into a read-only sites/default, where it fails. */

namespace Testbed;

use Composer\Composer;
use Composer\EventDispatcher\EventSubscriberInterface;
use Composer\IO\IOInterface;
use Composer\Plugin\PluginInterface;
use Composer\Script\Event;

class Scaffold implements PluginInterface, EventSubscriberInterface {
	public function activate( Composer $composer, IOInterface $io ) {}

	public function deactivate( Composer $composer, IOInterface $io ) {}

	public function uninstall( Composer $composer, IOInterface $io ) {}

	public static function getSubscribedEvents() {
		return array( 'post-install-cmd' => 'scaffold', 'post-update-cmd' => 'scaffold' );
	}

	public function scaffold( Event $event ) {
		$web = rtrim( $event->getComposer()->getPackage()->getExtra()['drupal-scaffold']['locations']['web-root'] ?? 'web', '/' );
		$event->getIO()->write( 'Scaffolding files for <comment>drupal/core</comment>:' );
		foreach ( array( 'index.php' => 'index.php', 'default.settings.php' => 'sites/default/default.settings.php' ) as $file => $place ) {
			$source = "$web/core/assets/scaffold/files/$file";
			if ( is_file( "$web/$place" ) && sha1_file( $source ) === sha1_file( "$web/$place" ) ) {
				continue;
			}
			is_dir( dirname( "$web/$place" ) ) || mkdir( dirname( "$web/$place" ), 0755, true );
			if ( is_file( "$web/$place" ) && ! @unlink( "$web/$place" ) || ! @copy( $source, "$web/$place" ) ) {
				throw new \RuntimeException( "Could not copy source file $source to [web-root]/$place" );
			}
			$event->getIO()->write( "  - Copy <info>[web-root]/$place</info> from <info>assets/scaffold/files/$file</info>" );
		}
	}
}
